"""Small documents, made by hand."""

from __future__ import annotations

import io
import zipfile

OFFICE = "application/vnd.openxmlformats-officedocument"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
DOCUMENT_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def zipped(parts: dict[str, str]) -> bytes:
    """The parts in a ZIP file."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(name, '<?xml version="1.0" encoding="UTF-8"?>' + text)
    return whole.getvalue()


def package(main: str, media_type: str, parts: dict[str, str]) -> bytes:
    """An Office file whose main part is `main`."""
    types = "".join(
        f'<Override PartName="/{name}" ContentType="{OFFICE}.{kind}+xml"/>'
        for name, kind in {main: media_type}.items()
    )
    return zipped(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
            'content-types"><Default Extension="xml" ContentType="application/xml"/><Default '
            'Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships'
            f'+xml"/>{types}</Types>',
            "_rels/.rels": f'<Relationships xmlns="{RELATIONS}"><Relationship Id="r1" '
            f'Type="{DOCUMENT_RELATIONS}/officeDocument" Target="{main}"/></Relationships>',
            **parts,
        }
    )


def docx(text: str) -> bytes:
    """A Word document of one paragraph."""
    body = (
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        f"<w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>"
    )
    kind = "wordprocessingml.document.main"
    return package("word/document.xml", kind, {"word/document.xml": body})


def pptx(text: str) -> bytes:
    """A presentation of one slide."""
    drawing = "http://schemas.openxmlformats.org/drawingml/2006/main"
    presentation = "http://schemas.openxmlformats.org/presentationml/2006/main"
    spaces = f'xmlns:a="{drawing}" xmlns:p="{presentation}" xmlns:r="{DOCUMENT_RELATIONS}"'
    return package(
        "ppt/presentation.xml",
        "presentationml.presentation.main",
        {
            "ppt/presentation.xml": f"<p:presentation {spaces}><p:sldIdLst>"
            '<p:sldId id="256" r:id="r1"/></p:sldIdLst></p:presentation>',
            "ppt/_rels/presentation.xml.rels": f'<Relationships xmlns="{RELATIONS}">'
            f'<Relationship Id="r1" Type="{DOCUMENT_RELATIONS}/slide" Target="slides/slide1.xml"/>'
            "</Relationships>",
            "ppt/slides/slide1.xml": f"<p:sld {spaces}><p:cSld><p:spTree><p:sp><p:txBody><a:p><a:r>"
            f"<a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp></p:spTree></p:cSld></p:sld>",
        },
    )


def xlsx(text: str) -> bytes:
    """A workbook of one cell."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return package(
        "xl/workbook.xml",
        "spreadsheetml.sheet.main",
        {
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{DOCUMENT_RELATIONS}"><sheets>'
            '<sheet name="Prices" sheetId="1" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELATIONS}"><Relationship '
            f'Id="r1" Type="{DOCUMENT_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
            "</Relationships>",
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData><row r="1">'
            f'<c r="A1" t="inlineStr"><is><t>{text}</t></is></c></row></sheetData></worksheet>',
        },
    )


def pdf(text: str, pages: int = 1) -> bytes:
    """A PDF with the text on each page."""
    stream = f"BT /F1 12 Tf 20 200 Td ({text}) Tj ET".encode()
    kids = " ".join("3 0 R" for _ in range(pages))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {pages}>>".encode(),
        (
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R"
            b"/Resources<</Font<</F1 5 0 R>>>>>>"
        ),
        b"<</Length %d>>stream\n%b\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    whole, places = b"%PDF-1.4\n", list[int]()
    for number, each in enumerate(objects, 1):
        places.append(len(whole))
        whole += b"%d 0 obj%bendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        b"%bxref\n0 6\n0000000000 65535 f \n%btrailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
        % (
            whole,
            table,
            len(whole),
        )
    )


def email(text: str) -> bytes:
    """A message."""
    head = "From: a@example.org\r\nTo: b@example.org\r\nSubject: Parcels\r\n"
    return f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode()
