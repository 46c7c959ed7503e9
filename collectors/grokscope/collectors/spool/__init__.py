"""A crash-safe, append-only log on the local disk between the training loop and MLflow. Stdlib only."""

from grokscope.collectors.spool.layout import Cursor as Cursor
from grokscope.collectors.spool.layout import Meta as Meta
from grokscope.collectors.spool.layout import create_spool as create_spool
from grokscope.collectors.spool.layout import find_spools as find_spools
from grokscope.collectors.spool.layout import next_attempt as next_attempt
from grokscope.collectors.spool.layout import read_cursor as read_cursor
from grokscope.collectors.spool.layout import read_meta as read_meta
from grokscope.collectors.spool.layout import remove_retired as remove_retired
from grokscope.collectors.spool.layout import remove_spool as remove_spool
from grokscope.collectors.spool.layout import segments as segments
from grokscope.collectors.spool.layout import write_cursor as write_cursor
from grokscope.collectors.spool.liveness import process_born as process_born
from grokscope.collectors.spool.liveness import writer_is_alive as writer_is_alive
from grokscope.collectors.spool.reader import Read as Read
from grokscope.collectors.spool.reader import SpoolReader as SpoolReader
from grokscope.collectors.spool.reader import read_spool as read_spool
from grokscope.collectors.spool.reader import spent_segments as spent_segments
from grokscope.collectors.spool.reader import unshipped as unshipped
from grokscope.collectors.spool.record import Event as Event
from grokscope.collectors.spool.record import Points as Points
from grokscope.collectors.spool.small_files import read_json as read_json
from grokscope.collectors.spool.small_files import replace_json as replace_json
from grokscope.collectors.spool.writer import SpoolWriter as SpoolWriter
