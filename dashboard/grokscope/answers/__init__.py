"""One function a question: its record says what is known, how surely, and what is missing."""

from grokscope.answers.asking import QUESTIONS as QUESTIONS
from grokscope.answers.asking import Question as Question
from grokscope.answers.asking import ask as ask
from grokscope.answers.errors import QuestionError as QuestionError
from grokscope.answers.questions.asked import Asked as Asked
from grokscope.answers.questions.counting import COUNTED_IN as COUNTED_IN
from grokscope.answers.reading.reader import StoreReader as StoreReader
from grokscope.answers.record.answer import Answer as Answer
from grokscope.answers.record.answer import Number as Number
from grokscope.answers.record.rendering import LIMIT as LIMIT
from grokscope.answers.record.rendering import as_dict as as_dict
from grokscope.answers.record.rendering import as_json as as_json
from grokscope.answers.record.rendering import as_markdown as as_markdown
from grokscope.answers.record.rendering import as_text as as_text
from grokscope.answers.since import since_ms as since_ms
