// @azure/arm-cognitiveservices against a server; prints what it got as one JSON object.
import { CognitiveServicesManagementClient } from "@azure/arm-cognitiveservices";

const { ENDPOINT, KEY, SUBSCRIPTION, GROUP } = process.env;
const credential = {
  getToken: async () => ({ token: KEY, expiresOnTimestamp: Date.now() + 3_600_000 }),
};
const client = new CognitiveServicesManagementClient(credential, SUBSCRIPTION, {
  endpoint: ENDPOINT,
  credentialScopes: [`${ENDPOINT}/.default`],
});
const quickly = { updateIntervalInMs: 100 };

async function all(pages) {
  const names = [];
  for await (const each of pages) names.push(each.name);
  return names;
}

const account = await client.accounts.beginCreateAndWait(
  GROUP,
  "javascript",
  { location: "local", kind: "OpenAI", sku: { name: "S0" }, properties: { customSubDomainName: "javascript" } },
  quickly,
);
const deployment = await client.deployments.beginCreateOrUpdateAndWait(
  GROUP,
  "javascript",
  "chat",
  {
    sku: { name: "GlobalStandard", capacity: 2 },
    properties: { model: { format: "OpenAI", name: "gpt-4o", version: "2024-11-20" } },
  },
  quickly,
);
const keys = await client.accounts.listKeys(GROUP, "javascript");
const rotated = await client.accounts.regenerateKey(GROUP, "javascript", "Key2");
const deployments = await all(client.deployments.list(GROUP, "javascript"));
const accounts = await all(client.accounts.listByResourceGroup(GROUP));
let refused = null;
try {
  await client.accounts.get(GROUP, "nothing");
} catch (error) {
  refused = { status: error.statusCode, code: error.code };
}
await client.deployments.beginDeleteAndWait(GROUP, "javascript", "chat", quickly);
await client.accounts.beginDeleteAndWait(GROUP, "javascript", quickly);
await client.deletedAccounts.beginPurgeAndWait("local", GROUP, "javascript", quickly);
console.log(
  JSON.stringify({
    account: account.properties.provisioningState,
    deployment: deployment.properties.provisioningState,
    capacity: deployment.sku.capacity,
    firstStays: keys.key1 === rotated.key1,
    secondIsNew: keys.key2 !== rotated.key2,
    deployments,
    accounts,
    left: await all(client.accounts.listByResourceGroup(GROUP)),
    refused,
  }),
);
