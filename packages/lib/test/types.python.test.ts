import { expect, test } from 'vitest'
import { describePython } from './python-worker.ts'

const header = `
import collections, collections.abc, dataclasses, datetime, decimal, enum, io, typing, uuid
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, Optional, TypedDict, TypeVar, Union
from origami import Json, Label, Markdown, Number, Slider, Text
T = TypeVar("T")
class Colour(enum.Enum):
    RED = "red"
class Place(enum.Enum):
    HOME = Path("/home")
class Row(TypedDict, total=False):
    name: str
    size: typing.Optional[int]
class Pair(NamedTuple):
    word: str
    count: int
@dataclasses.dataclass
class Node:
    word: str
    parts: list["Node"]
@dataclasses.dataclass
class WithFile:
    word: str
    copy: Path
class ConcatenateIterator(Iterator[str]):
    pass
class Pieces(Iterator[T], Generic[T]):
    pass
class Narrower(Pieces[int]):
    pass
class Plain:
    def __iter__(self): return self
    def __next__(self) -> str: ...
class Own(Iterator[T]):
    pass
class OwnAgain(Own[str]):
    pass
class OwnLater(AsyncIterator[T]):
    pass
class Bare(Iterator):
    def __next__(self) -> str: ...
class BareAgain(Bare):
    pass
class BareLater(AsyncIterator):
    async def __anext__(self) -> str: ...
class Ids(typing.AsyncIterator[int]):
    pass
Word = NewType("Word", str)
`

/** The type that the Python above calls `hint`, as the only input. */
const input = (hint: string, value = '') => `${header}\ndef predict(given: ${hint}${value}) -> str: ...`
const output = (hint: string) => `${header}\ndef predict() -> ${hint}: ...`

test.each([
  { side: 'inputs' as const, source: input },
  { side: 'outputs' as const, source: output },
])('types that go on working as $side', async ({ side, source }) => {
  const choice = side === 'inputs' ? 'select' : 'text'
  const types: [string, string][] = [
    ['str', 'text'],
    ['Word', 'text'],
    ['int', 'number'],
    ['float', 'number'],
    ['int | float', 'number'],
    ['Optional[Union[int, float]]', 'number'],
    ['float | int | None', 'number'],
    ['bool', 'checkbox'],
    ["Literal['a', 'b']", choice],
    ['Colour', choice],
    ['Path', 'file'],
    ['Optional[Path]', 'file'],
    ['Any', 'json'],
    ['object', 'json'],
    ['dict', 'json'],
    ['list', 'json'],
    ['list[int | None]', 'json'],
    ['dict[str, list[Colour]]', 'json'],
    ['typing.List[typing.Dict[str, typing.Any]]', 'json'],
    ['tuple[int, ...]', 'json'],
    ['Sequence[str]', 'json'],
    ['Mapping[str, Any]', 'json'],
    ['str | int', 'json'],
    ['list[Row]', 'json'],
    ['Annotated[bytes, Json()]', 'json'],
  ]
  const found = await describePython(types.map(([hint]) => source(hint)))
  expect(found.map(({ schema, refused }) => schema?.[side][0]?.component ?? refused)).toEqual(
    types.map(([, name]) => name),
  )
})

test('outputs alone: labels, records, nested records, subclasses', async () => {
  const types: [string, string[]][] = [
    ['dict[str, float]', ['label']],
    ['Row', ['text', 'number']],
    ['Pair', ['text', 'number']],
    ['WithFile', ['text', 'file']],
    ['Node', ['text', 'json']],
    ['list[Node]', ['json']],
    ['set[int]', ['json']],
    ['collections.Counter[str]', ['json']],
    ['None', ['json']],
  ]
  const found = await describePython(types.map(([hint]) => output(hint)))
  expect(found.map(({ schema, refused }) => schema?.outputs.map(({ component }) => component) ?? refused)).toEqual(
    types.map(([, names]) => names),
  )
})

test('a number may be whole or not, and untyped it stays what it is', async () => {
  const [found] = await describePython([input('int | float', ' = 3')])
  expect(found?.schema?.inputs).toMatchObject([{ component: 'number', options: {}, default: 3, required: false }])
})

test('every iterator in the return annotation streams, whatever its form; what is a collection does not', async () => {
  const types: [string, string, boolean][] = [
    ['Iterator[str]', 'text', true],
    ['typing.Iterator[str]', 'text', true],
    ['Iterable[str]', 'text', true],
    ['typing.Iterable[int]', 'number', true],
    ['Generator[str, None, None]', 'text', true],
    ['typing.Generator[str, None, None]', 'text', true],
    ['AsyncIterator[str]', 'text', true],
    ['typing.AsyncIterator[str]', 'text', true],
    ['AsyncIterable[str]', 'text', true],
    ['AsyncGenerator[str, None]', 'text', true],
    ['typing.AsyncGenerator[str, None]', 'text', true],
    ['Iterator', 'json', true],
    ['typing.Generator', 'json', true],
    ['AsyncIterator', 'json', true],
    ['ConcatenateIterator', 'text', true],
    ['Pieces[str]', 'text', true],
    ['Pieces', 'json', true],
    ['Narrower', 'number', true],
    ['Ids', 'number', true],
    ['Own[str]', 'text', true],
    ['Own', 'json', true],
    ['OwnAgain', 'text', true],
    ['OwnLater[str]', 'text', true],
    ['Bare', 'text', true],
    ['BareAgain', 'text', true],
    ['BareLater', 'text', true],
    ['Plain', 'text', true],
    ['Optional[Iterator[str]]', 'text', true],
    ['Annotated[Iterator[str], Markdown()]', 'markdown', true],
    ['Iterator[Annotated[str, Markdown()]]', 'markdown', true],
    ['Awaitable[str]', 'text', false],
    ['list[str]', 'json', false],
    ['Sequence[str]', 'json', false],
    ['Mapping[str, int]', 'json', false],
    ['str', 'text', false],
  ]
  const found = await describePython(types.map(([hint]) => output(hint)))
  expect(
    found.map(({ schema, refused }, index) => [
      types[index]?.[0],
      schema?.outputs[0]?.component ?? refused,
      schema?.streaming,
    ]),
  ).toEqual(types)
})

test('an untyped generator streams, also when it is async or wrapped', async () => {
  const wrapped = `
import functools
def plainly(function):
    @functools.wraps(function)
    def inner(*given, **named): return function(*given, **named)
    return inner
@plainly
def predict(): yield 1`
  const found = await describePython([
    'def predict(): yield 1',
    'async def predict(): yield 1',
    wrapped,
    'def predict(): return 1',
  ])
  expect(found.map(({ schema }) => schema?.streaming)).toEqual([true, true, true, false])
})

test.each([
  { side: 'input', source: input, where: 'predict: given: ' },
  { side: 'output', source: output, where: 'predict: what it returns: ' },
])(
  'types that no component shows are refused as $side, with what to write instead',
  async ({ side, source, where }) => {
    const [onto, file] = side === 'input' ? ['take', 'take a pathlib.Path'] : ['return', 'return its pathlib.Path']
    const types: [string, string, string][] = [
      ['list[Path]', 'list[pathlib.Path]', 'pathlib.Path'],
      ['typing.List[Path]', 'typing.List[pathlib.Path]', 'pathlib.Path'],
      ['dict[str, Optional[Path]]', 'holds pathlib.Path', 'pathlib.Path'],
      ['str | Path', 'holds pathlib.Path', 'pathlib.Path'],
      ['bytes', 'bytes', file],
      ['bytearray', 'bytearray', file],
      ['Optional[bytes]', 'bytes', file],
      ['dict[str, bytes]', 'holds bytes', file],
      ['io.BytesIO', '_io.BytesIO', file],
      ['typing.BinaryIO', 'typing.BinaryIO', file],
      ['typing.IO[str]', 'typing.IO[str]', file],
      ['datetime.datetime', 'datetime.datetime', `${onto}.*str`],
      ['datetime.timedelta', 'datetime.timedelta', `${onto}.*str`],
      ['list[datetime.date]', 'holds datetime.date', `${onto}.*str`],
      ['decimal.Decimal', 'decimal.Decimal', `${onto}.*str`],
      ['uuid.UUID', 'uuid.UUID', `${onto}.*str`],
      ['complex', 'complex', `${onto}.*str`],
      ['typing.Callable[[], str]', 'Callable', `${onto} str, int, float`],
      ['type[int]', 'type[int]', `${onto} str, int, float`],
      ["Literal['a', b'b']", 'holds bytes', file],
      ['Place', 'holds pathlib.PosixPath', 'pathlib.Path'],
      ['list[Place]', 'holds pathlib.PosixPath', 'pathlib.Path'],
      ['io.StringIO', '_io.StringIO', file],
    ]
    const found = await describePython(types.map(([hint]) => source(hint)))
    for (const [index, { refused }] of found.entries()) {
      const [hint, named, instead] = types[index] as [string, string, string]
      expect(refused, hint).toContain(where)
      expect(refused, hint).toContain(`${named}`)
      expect(refused, hint).toMatch(new RegExp(`cannot be shown yet.*; .*${instead.replaceAll('[', '\\[')}`))
    }
  },
)

test('what is refused is named: the argument, the output, and a record deep inside', async () => {
  const found = await describePython([
    `${header}\ndef predict(words: str, pictures: list[Path]) -> str: ...`,
    `${header}\n@dataclasses.dataclass\nclass Given:\n    pages: list[Path]\ndef predict() -> Given: ...`,
    output('list[WithFile]'),
    output('Iterator[bytes]'),
    input('Annotated[str, Label()]'),
    output('Annotated[float, Slider()]'),
    input('Pair'),
  ])
  expect(found.map(({ refused }) => refused)).toEqual([
    'predict: pictures: list[pathlib.Path] cannot be shown yet (it holds pathlib.Path); take each file by an argument of its own, pathlib.Path',
    'predict: output pages: list[pathlib.Path] cannot be shown yet (it holds pathlib.Path); return one pathlib.Path, or a dataclass with a field for each file',
    expect.stringMatching(
      /^predict: what it returns: list\[model2\.WithFile\] cannot be shown yet \(it holds pathlib\.Path\); return one/,
    ),
    expect.stringMatching(/^predict: what it returns: bytes cannot be shown yet; write it into a file/),
    'predict: given: Label is not for an input; leave it out, or say another component',
    'predict: what it returns: Slider is not for an output; leave it out, or say another component',
    expect.stringMatching(/^predict: given: model6\.Pair cannot be shown yet; take str, .*dict or list$/),
  ])
})

test('a default that is no JSON is refused with its name; the path of a default file is not told', async () => {
  const found = await describePython([
    `${header}\ndef predict(heat: float = float("nan")) -> str: ...`,
    `${header}\ndef predict(data: dict = {"at": {1: b"x"}}) -> str: ...`,
    `${header}\ndef predict(paper: Path = Path("/etc/hostname"), other=Path("/etc/hosts")) -> str: ...`,
  ])
  expect(found[0]?.refused).toMatch(/^predict: heat: its default: expected a finite number, got nan/)
  expect(found[1]?.refused).toMatch(
    /^predict: data: its default: expected what JSON has, got bytes at \['at'\]\['?1'?\]/,
  )
  expect(found[2]?.schema?.inputs.map(({ component, required }) => [component, required])).toEqual([
    ['file', false],
    ['file', false],
  ])
  expect(JSON.stringify(found[2])).not.toContain('/etc')
})
