"""In which encoding a text is: UTF-8, with a mark or without, or what Windows calls Unicode."""

_MARKS = (b"\xff\xfe", b"\xfe\xff")
_BEGINNING = 64


def encoding_of(head: bytes) -> str:
    r"""Return the encoding of a text by its first bytes: by its mark, or by zeros beside its letters.

    PowerShell writes what a program prints in UTF-16.

    >>> encoding_of("\ufeffstep 1".encode("utf-16-be")), encoding_of(b"step 1")
    ('utf-16', 'utf-8-sig')
    """
    if head.startswith(_MARKS):
        return "utf-16"
    odd = head[1:_BEGINNING:2]
    is_wide = odd.count(0) > len(odd) // 2 and 0 not in head[0:_BEGINNING:2]
    return "utf-16-le" if is_wide else "utf-8-sig"


def in_utf8(content: bytes) -> bytes:
    r"""Return a text in UTF-8, without a mark.

    >>> in_utf8("\ufeffloß".encode("utf-16-le")).decode(), in_utf8(b"\xef\xbb\xbfstep")
    ('loß', b'step')
    """
    encoding = encoding_of(content)
    if encoding == "utf-8-sig":
        return content.removeprefix(b"\xef\xbb\xbf")
    return content.decode(encoding, "replace").encode()
