import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import PQueue from 'p-queue'
import { readPrivate } from './private-files.ts'

/** The paths of the PEM files by which two servers authenticate each other. */
export interface TlsPaths {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** The contents of the files. */
export interface TlsFiles {
  readonly ca: Buffer
  readonly cert: Buffer
  readonly key: Buffer
}

/**
 * A queue for each key's path. Reading and replacing happen one after another, so that a reader does not undo a
 * replacement that is being written.
 */
const turns = new Map<string, PQueue>()

/**
 * Reads all three files, after finishing or undoing a replacement that was interrupted. Throws Error when one is
 * missing, or when others can read the key.
 */
export function readTls(paths: TlsPaths): Promise<TlsFiles> {
  return oneAtATime(paths, async () => {
    await settleReplacement(paths)
    const [ca, cert, key] = await Promise.all([readFile(paths.ca), readFile(paths.cert), readPrivate(paths.key)])
    return { ca, cert, key }
  })
}

/** Replaces a key and its certificate (PEM) so that a crash at any moment leaves a matching pair. */
export function replaceTls(paths: TlsPaths, { cert, key }: { cert: string; key: string }): Promise<void> {
  return oneAtATime(paths, async () => {
    await mkdir(dirname(paths.key), { recursive: true, mode: 0o700 })
    await writeDurably(nextPath(paths.key), key)
    await writeDurably(nextPath(paths.cert), cert)
    await rename(nextPath(paths.key), paths.key)
    await rename(nextPath(paths.cert), paths.cert)
  })
}

function oneAtATime<Result>({ key }: TlsPaths, work: () => Promise<Result>): Promise<Result> {
  return (turns.get(key) ?? newTurn(key)).add(work)
}

function newTurn(key: string): PQueue {
  const turn = new PQueue({ concurrency: 1 })
  turn.addEventListener('idle', () => turns.delete(key))
  turns.set(key, turn)
  return turn
}

/** The key is replaced first. A new certificate that matches the present key only has to follow. */
async function settleReplacement({ cert, key }: TlsPaths): Promise<void> {
  if (!existsSync(nextPath(cert)) && !existsSync(nextPath(key))) return
  if (existsSync(nextPath(cert)) && (await fits(nextPath(cert), key))) await rename(nextPath(cert), cert)
  await rm(nextPath(key), { force: true })
  await rm(nextPath(cert), { force: true })
}

async function fits(cert: string, key: string): Promise<boolean> {
  try {
    return new X509Certificate(await readFile(cert)).checkPrivateKey(createPrivateKey(await readPrivate(key)))
  } catch {
    // An incomplete file does not count, and the previous pair stays.
    return false
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  await using file = await open(path, 'w', 0o600)
  await file.writeFile(text)
  await file.sync()
}

const nextPath = (path: string): string => `${path}.next`
