import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bundle } from '../src/bundler/index.ts'

test('a bundle in Python of text, label and image is at most 1 MB', async () => {
  await using made = await bundled(`from pathlib import Path
from typing import Annotated
from origami import Image, demo

@demo(examples=[{"words": "a"}])
def predict(words: str = "a", picture: Annotated[Path, Image()] | None = None) -> dict[str, float]:
    return {"glad": 1.0}
`)
  expect(made.logged.at(-1)).toContain('it answers: {"glad":1}')
  const entries = await readdir(made.folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const sizes = await Promise.all(files.map(async (path) => (await stat(path)).size))
  expect(made.bytes).toBeGreaterThan(400_000)
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(1024 ** 2)
})

async function bundled(model: string) {
  const folder = await mkdtemp(join(tmpdir(), 'origami-bundle-'))
  const logged: string[] = []
  await writeFile(join(folder, 'model.py'), model)
  const { bytes } = await bundle({ folder, onLog: (line) => logged.push(line) }, new AbortController().signal)
  return { folder, logged, bytes, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}
