"""Parts of pages that several pages share: the header, charts, tables, downloads, sections."""
