import { existsSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { DemoSchema } from '@origami/protocol/demo'
import type { Ingredients } from './dockerfile.ts'

/** What decides which files of the runtime a bundle needs. */
export interface Needs {
  readonly language: Ingredients['language']
  /** Undefined: the model was not asked for it, and may use every component. */
  readonly schema: DemoSchema | undefined
}

/** The part of a component that is loaded late has a file of its name, which is a chunk of the page. */
const lateChunk = /components\/late\/([a-z]+)\.tsx$/

/** Files that Python, editors and builds leave behind. They are never part of a runtime. */
const leavings = /(^|\/)(__pycache__|\.[^/]*_cache|\.DS_Store)(\/|$)|\.(pyc|pyo|map)$/

/**
 * The files of the built runtime that a demo needs, by their path in its bundle. Throws Error when the runtime was not
 * built.
 */
export async function vendoredFiles(built: string, needs: Needs): Promise<Map<string, Uint8Array>> {
  if (!existsSync(built)) throw new Error(`the runtime is not built: ${built} is missing; \`npm run build\` makes it`)
  const entries = await readdir(built, { recursive: true, withFileTypes: true })
  const all = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(built, join(entry.parentPath, entry.name)))
  const modules = await modulesOf(built, needs.language)
  const unused = await unusedChunks(built, needs.schema)
  const wanted = all.filter((path) => {
    if (leavings.test(path) || path === 'page/manifest.json' || unused.has(path)) return false
    if (path.startsWith('python/')) return needs.language === 'python'
    return path.includes('/') || !path.endsWith('.mjs') || modules.has(path)
  })
  const files = wanted.toSorted().map(async (path) => [`origami/${path}`, await readFile(join(built, path))] as const)
  return new Map(await Promise.all(files))
}

/** Removes from a folder the files that Python, editors and builds left there. */
export async function removeLeavings(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const left = entries
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => leavings.test(relative(folder, path)))
  await Promise.all(left.map((path) => rm(path, { recursive: true, force: true })))
}

/** The server, for a Node model also the worker and what its author imports, with all modules that they import. */
async function modulesOf(built: string, language: Needs['language']): Promise<Set<string>> {
  const found = new Set<string>()
  const visit = async (path: string): Promise<void> => {
    if (found.has(path)) return
    found.add(path)
    const code = await readFile(join(built, path), 'utf8')
    for (const [, next = ''] of code.matchAll(/\b(?:from|import)\s*\(?["'`]\.\/([\w.-]+\.mjs)["'`]/g)) await visit(next)
  }
  for (const path of language === 'node' ? ['server.mjs', 'worker.mjs', 'author.mjs'] : ['server.mjs'])
    await visit(path)
  return found
}

interface Chunk {
  readonly file: string
  readonly imports?: readonly string[]
  readonly isEntry?: boolean
}

/** Chunks of the page that are only loaded for components which this demo does not have. */
async function unusedChunks(built: string, schema: DemoSchema | undefined): Promise<Set<string>> {
  if (!schema) return new Set()
  const components = new Set<string>([...schema.inputs, ...schema.outputs].map((field) => field.component))
  // Without the manifest no chunk is known to be unused.
  const text = await readFile(join(built, 'page/manifest.json'), 'utf8').catch(() => '{}')
  const chunks = Object.entries(JSON.parse(text) as Record<string, Chunk>)
  const used = new Set<string>()
  const visit = (key: string): void => {
    const chunk = chunks.find(([name]) => name === key)?.[1]
    if (!chunk || used.has(chunk.file)) return
    used.add(chunk.file)
    for (const next of chunk.imports ?? []) visit(next)
  }
  for (const [key, { isEntry }] of chunks) {
    const component = lateChunk.exec(key)?.[1]
    const isPart = key.startsWith('_')
    if (isEntry || (component === undefined ? !isPart : components.has(component))) visit(key)
  }
  return new Set(chunks.map(([, { file }]) => `page/${file}`).filter((path) => !used.has(path.slice('page/'.length))))
}
