import { readFile, rename, writeFile } from 'node:fs/promises'
import { logger } from '@origami/host/logger'
import type { ProcessIdentity } from '@origami/host/process-identity'
import type { DemoId, DeploymentId } from '@origami/protocol/demo'
import { z } from 'zod'
import type { ImageRef } from '../engine.ts'

const log = logger('engine')

/**
 * `about.json` of an instance. It describes the shim by its process id, its start time, and the nonce in its arguments.
 */
export const instanceSchema = z.object({
  demo: z.string().transform((id) => id as DemoId),
  deployment: z.string().transform((id) => id as DeploymentId),
  image: z.string().transform((ref) => ref as ImageRef),
  nonce: z.string(),
  /** Absent before the shim was started. */
  pid: z.number().int().positive().optional(),
  started: z.string().default(''),
})
export type InstanceRecord = z.infer<typeof instanceSchema>

/**
 * `exit.json` of an instance. With a nonce it is of the instance of that nonce alone: who writes it for a shim that is
 * gone may be late, when the folder is that of the next one.
 */
export const exitSchema = z.object({
  code: z.number().nullable(),
  at: z.iso.datetime(),
  nonce: z.string().optional(),
})
export type ExitRecord = z.infer<typeof exitSchema>

/** `.image.json` of an image. */
export const imageSchema = instanceSchema.pick({ demo: true, deployment: true })

/** The shim of an instance. Undefined: it was not started yet. */
export const shimOf = (about: InstanceRecord | undefined): ProcessIdentity | undefined =>
  about?.pid === undefined ? undefined : { pid: about.pid, started: about.started }

/** Writes a file so that readers see all of it or none. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 })
  await rename(`${path}.new`, path)
}

/**
 * Handles the error of a read: the file counts as missing. It throws when the limit of open files was reached, because
 * that says nothing about this file.
 */
export const unlessOutOfFiles =
  <Value>(none: Value) =>
  (error: unknown): Value => {
    if (error instanceof Error && 'code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE')) throw error
    return none
  }

/**
 * Undefined when the file is missing or has an unexpected content, because a demo runs under the same account and can
 * write it. Throws when the limit of open files was reached.
 */
export async function readJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.infer<Schema> | undefined> {
  const text = await readFile(path, 'utf8').catch(unlessOutOfFiles(undefined))
  if (text === undefined) return undefined
  try {
    return schema.parse(JSON.parse(text))
  } catch (error) {
    log.error(`${path} is not what it should be; it is passed over`, error)
    return undefined
  }
}
