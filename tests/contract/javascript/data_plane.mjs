// The official client of JavaScript against a server; prints what it got as one JSON object.
import { AzureOpenAI, OpenAI } from "openai";

const { ENDPOINT, KEY } = process.env;

async function asked(client) {
  const messages = [{ role: "user", content: "Say something short." }];
  const model = "gpt-4o";
  const plain = await client.chat.completions.create({ model, messages }).withResponse();
  const stream = await client.chat.completions.create({
    model,
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = "";
  let usage = null;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? "";
    usage = chunk.usage ?? usage;
  }
  const called = await client.chat.completions.create({
    model,
    messages: [{ role: "user", content: "What is the weather in Paris?" }],
    tool_choice: "required",
    tools: [
      {
        type: "function",
        function: {
          name: "get_weather",
          parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
        },
      },
    ],
  });
  const vectors = await client.embeddings.create({
    model: "text-embedding-3-small",
    input: ["one", "two"],
    dimensions: 16,
  });
  const models = [];
  for await (const each of client.models.list()) models.push(each.id);
  return {
    answer: plain.data.choices[0].message.content,
    requestId: plain.response.headers.get("apim-request-id"),
    streamed: text,
    streamedTokens: usage?.total_tokens,
    tool: called.choices[0].message.tool_calls?.[0].function,
    vectors: vectors.data.map((each) => each.embedding.length),
    models,
  };
}

async function refusal(client, model) {
  try {
    await client.chat.completions.create({ model, messages: [{ role: "user", content: "Hi" }] });
  } catch (error) {
    return { kind: error.constructor.name, status: error.status, code: error.code };
  }
  return null;
}

const azure = (apiKey) =>
  new AzureOpenAI({ endpoint: ENDPOINT, apiKey, apiVersion: "2024-10-21", maxRetries: 0 });
const v1 = (apiKey) => new OpenAI({ baseURL: `${ENDPOINT}/openai/v1/`, apiKey, maxRetries: 0 });

console.log(
  JSON.stringify({
    azure: await asked(azure(KEY)),
    v1: await asked(v1(KEY)),
    wrongKey: await refusal(azure("wrong"), "gpt-4o"),
    unknownDeployment: await refusal(v1(KEY), "nothing"),
  }),
);
