"""The reading side of MLflow: runs and curves as polars frames, from a file, a server or a database."""

from grokscope.store.errors import AccessError as AccessError
from grokscope.store.errors import BusyStoreError as BusyStoreError
from grokscope.store.errors import CorruptStoreError as CorruptStoreError
from grokscope.store.errors import ExperimentNotFoundError as ExperimentNotFoundError
from grokscope.store.errors import MissingStoreError as MissingStoreError
from grokscope.store.errors import NotMLflowError as NotMLflowError
from grokscope.store.errors import RunNotFoundError as RunNotFoundError
from grokscope.store.errors import SchemaError as SchemaError
from grokscope.store.errors import ServerFailedError as ServerFailedError
from grokscope.store.errors import StoreError as StoreError
from grokscope.store.errors import UnknownStoreError as UnknownStoreError
from grokscope.store.errors import UnreachableError as UnreachableError
from grokscope.store.face import Store as Store
from grokscope.store.frames import EXPERIMENT_SCHEMA as EXPERIMENT_SCHEMA
from grokscope.store.frames import KEY_SCHEMA as KEY_SCHEMA
from grokscope.store.frames import PAIR_SCHEMA as PAIR_SCHEMA
from grokscope.store.frames import RUN_SCHEMA as RUN_SCHEMA
from grokscope.store.opening import open_store as open_store
from grokscope.store.uris import redacted as redacted
