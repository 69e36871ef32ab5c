import type { Choices } from './choices.ts'

const parameters = {
  text: { name: 'text', type: 'str', example: '"What a day"', measure: 'len(text)' },
  number: { name: 'number', type: 'float', example: '4', measure: 'number' },
  image: {
    name: 'picture',
    type: 'Annotated[Path, Image()]',
    example: '"example.png"',
    measure: 'picture.stat().st_size',
  },
  file: { name: 'file', type: 'Path', example: '"example.txt"', measure: 'file.stat().st_size' },
} as const

const results = {
  label: {
    type: 'dict[str, float]',
    value: (size: string) => `share = 1 / (1 + abs(${size}))\n    return {"small": share, "large": 1 - share}`,
  },
  text: { type: 'str', value: (size: string) => `return f"Its size is {${size}}."` },
  number: { type: 'float', value: (size: string) => `return float(${size})` },
  json: { type: 'dict', value: (size: string) => `return {"size": ${size}}` },
  image: { type: 'Annotated[Path, Image()]', value: () => 'return Path(__file__).with_name("example.png")' },
  file: { type: 'Path', value: () => 'return Path(__file__).with_name("example.txt")' },
} as const

/** The text of `model.py`: a function whose types define its page. It needs only the standard library and `origami`. */
export function pythonModel({ input, output, title }: Choices): string {
  const parameter = parameters[input]
  const result = results[output]
  const types = `${parameter.type} ${result.type}`
  const same = input === output && (input === 'image' || input === 'file')
  const body = same ? `return ${parameter.name}` : result.value(parameter.measure)
  const imports = [
    ...(types.includes('Path') || body.includes('Path(') ? ['from pathlib import Path'] : []),
    ...(types.includes('Annotated') ? ['from typing import Annotated'] : []),
  ]
  const ours = types.includes('Image()') ? 'from origami import Image, demo' : 'from origami import demo'
  return `${[...imports, ...(imports.length > 0 ? [''] : []), ours].join('\n')}


def setup():
    """Load your weights here: it runs once, before the first prediction."""


@demo(title=${JSON.stringify(title)}, examples=[{"${parameter.name}": ${parameter.example}}])
def predict(${parameter.name}: ${parameter.type}) -> ${result.type}:
    """What your model does."""
    ${body}
`
}
