"""``make docs``: write every document that is made from the code."""

from docs.build.documents import documents

for path, text in documents().items():
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
