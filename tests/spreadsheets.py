"""Small but real spreadsheets, as office programs write them: ODS with repeated cells, XLSX with shared strings."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

Cell = str | int | float | None
Sheets = Mapping[str, Sequence[Sequence[Cell]]]
_ODS = "urn:oasis:names:tc:opendocument:xmlns:"


def ods(sheets: Sheets) -> bytes:
    """Return an ODS file of these sheets; runs of empty cells and rows are written once, with a count."""
    tables = []
    for name, rows in sheets.items():
        lines, blank = [], 0
        for row in rows:
            if not any(c is not None for c in row):
                blank += 1
                continue
            if blank:
                lines.append(
                    f'<table:table-row table:number-rows-repeated="{blank}">'
                    '<table:table-cell table:number-columns-repeated="3"/></table:table-row>'
                )
                blank = 0
            cells, empty = [], 0
            for cell in row:
                if cell is None:
                    empty += 1
                    continue
                if empty:
                    cells.append(f'<table:table-cell table:number-columns-repeated="{empty}"/>')
                    empty = 0
                if isinstance(cell, str):
                    cells.append(
                        f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p>'
                        "</table:table-cell>"
                    )
                else:
                    cells.append(
                        f'<table:table-cell office:value-type="float" office:value="{cell}"><text:p>{cell}</text:p>'
                        "</table:table-cell>"
                    )
            lines.append("<table:table-row>" + "".join(cells) + "</table:table-row>")
        tables.append(f"<table:table table:name={quoteattr(name)}>{''.join(lines)}</table:table>")
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
        + " ".join(f'xmlns:{n}="{_ODS}{n}:1.0"' for n in ("office", "table", "text"))
        + ' office:version="1.2"><office:body><office:spreadsheet>'
        + "".join(tables)
        + "</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest '
        f'xmlns:manifest="{_ODS}manifest:1.0" manifest:version="1.2">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    return _zip({"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest})


def xlsx(sheets: Sheets) -> bytes:
    """Return an XLSX file of these sheets, its texts in the table of shared strings."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    shared: dict[str, int] = {}
    files: dict[str, str] = {}
    for number, rows in enumerate(sheets.values(), 1):
        lines = []
        for r, row in enumerate(rows, 1):
            cells = []
            for c, cell in enumerate(row):
                at = f"{chr(65 + c)}{r}"
                if isinstance(cell, str):
                    cells.append(f'<c r="{at}" t="s"><v>{shared.setdefault(cell, len(shared))}</v></c>')
                elif cell is not None:
                    cells.append(f'<c r="{at}"><v>{cell}</v></c>')
            if cells:
                lines.append(f'<row r="{r}">{"".join(cells)}</row>')
        files[f"xl/worksheets/sheet{number}.xml"] = (
            f'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{main}"><sheetData>{"".join(lines)}'
            "</sheetData></worksheet>"
        )
    numbers = range(1, len(sheets) + 1)
    strings = "".join(f"<si><t>{escape(s)}</t></si>" for s in shared)
    files |= {
        "[Content_Types].xml": f'<?xml version="1.0"?><Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Override PartName="/xl/workbook.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<?xml version="1.0"?><Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<?xml version="1.0"?><workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        + "".join(
            f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>'
            for n, name in zip(numbers, sheets, strict=True)
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<?xml version="1.0"?><Relationships xmlns="{package}/relationships">'
        + "".join(
            f'<Relationship Id="rId{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in numbers
        )
        + f'<Relationship Id="rId99" Type="{office}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/sharedStrings.xml": f'<?xml version="1.0"?><sst xmlns="{main}">{strings}</sst>',
    }
    return _zip(files)


def _zip(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bag:
        for name, text in files.items():
            bag.writestr(
                zipfile.ZipInfo(name),
                text,
                zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED,
            )
    return out.getvalue()
