"""A signed agreement on paper, as an invented family can sign: one page of PDF 1.4, in the fonts of any reader."""

LINES = (
    (18, "Accord de la famille"),
    (12, "Programme de r\\351ussite \\351ducative (exemple invent\\351)"),
    (12, "Nous acceptons le parcours propos\\351, pour douze mois."),
    (12, "Sign\\351 par les deux titulaires de l'autorit\\351 parentale."),
)


def agreement_pdf() -> bytes:
    """The whole file; the texts are in WinAnsi, their accents in octal."""
    text = b"BT /F1 12 Tf 72 760 Td "
    for size, line in LINES:
        text += f"/F1 {size} Tf ({line}) Tj 0 -28 Td ".encode("ascii")
    text += b"ET"
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R /Lang (fr-FR) >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    file, places = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, start=1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    file += b"".join(b"%010d 00000 n \n" % place for place in places)
    return file + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, start)
