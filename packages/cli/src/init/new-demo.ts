import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import { Failure } from '../failure.ts'
import type { Choices } from './choices.ts'
import { pythonModel } from './python-model.ts'
import { typescriptModel } from './typescript-model.ts'

/** The files of a new demo: their contents by name. */
export function newDemoFiles(name: string, choices: Choices): Map<string, string | Uint8Array> {
  const { language, input, output, title } = choices
  const python = language === 'python'
  const files = new Map<string, string | Uint8Array>([
    python ? ['model.py', pythonModel(choices)] : ['model.ts', typescriptModel(choices)],
    python
      ? ['requirements.txt', '# What your model imports, one a line: numpy==2.4.6\n']
      : ['package.json', packageJson(name)],
    ['README.md', readme(title, python ? 'model.py' : 'model.ts')],
    ['.gitignore', '__pycache__/\n*.pyc\n.venv/\nnode_modules/\n'],
  ])
  if (input === 'image' || output === 'image') files.set('example.png', square())
  if (input === 'file' || output === 'file') files.set('example.txt', 'What a day\n')
  return files
}

/** Throws Failure when the folder is neither new nor empty, and names a file in it. A `.git` folder is allowed. */
export async function expectEmpty(folder: string): Promise<void> {
  const there = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new Failure(
      error.code === 'ENOTDIR'
        ? `${folder} is a file; expected a folder`
        : `${folder} cannot be read: ${error.message}`,
    )
  })
  const conflicting = there.filter((name) => name !== '.git').toSorted()
  if (conflicting.length > 0)
    throw new Failure(
      `${folder} is not empty: ${listed(conflicting)} would be in the way; nothing was written. Name an empty or a new folder`,
    )
}

/** Writes the files of a new demo. A file that exists by now is not overwritten. */
export async function writeNewDemo(folder: string, files: ReadonlyMap<string, string | Uint8Array>): Promise<void> {
  await expectEmpty(folder)
  await mkdir(folder, { recursive: true })
  for (const [name, content] of files) await writeFile(join(folder, name), content, { flag: 'wx' })
}

/** The title of a demo from its folder's name: `night_sky` gives `Night sky`. */
export function titleFromFolder(folder: string): string {
  const spaced = basename(folder)
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
  return spaced === '' ? 'Demo' : spaced.charAt(0).toUpperCase() + spaced.slice(1)
}

const listed = (names: readonly string[]): string =>
  names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ')

const packageJson = (name: string): string =>
  `${JSON.stringify(
    {
      name:
        name
          .toLowerCase()
          .replaceAll(/[^a-z0-9._-]/g, '-')
          .replace(/^[._-]+/, '') || 'demo',
      private: true,
      type: 'module',
      dependencies: {},
    },
    null,
    2,
  )}\n`

const readme = (title: string, model: string): string => `# ${title}

\`\`\`sh
origami serve ${model}     # a page at http://127.0.0.1:6060
origami bundle             # writes what a server needs to run it; commit it and push
origami deploy             # brings what is pushed live
\`\`\`
`

/** A PNG image of 64 by 64 pixels in one colour, for the example. Source: PNG (third edition), sections 5 and 11. */
function square(): Uint8Array {
  const row = Buffer.alloc(1 + 64 * 3, 0x88)
  row[0] = 0
  const header = Buffer.from([0, 0, 0, 64, 0, 0, 0, 64, 8, 2, 0, 0, 0])
  const pixels = deflateSync(Buffer.concat(Array.from({ length: 64 }, () => row)))
  const parts = [chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))]
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), ...parts])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const check = Buffer.alloc(4)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}
