import { join, resolve } from 'node:path'
import type { PredictionSnapshot } from '@origami/protocol/demo'
import { expect, vi } from 'vitest'
import { type Runtime, type RuntimeOptions, startRuntime } from '../src/runtime/index.ts'

/** The built page. */
export const page = join(import.meta.dirname, '../../demo-ui/dist/page')

/** A runtime once it is ready, or its setup failed. The model is one beside this file, or at an absolute path. */
export async function serve(model: string, options: Partial<RuntimeOptions> = {}): Promise<Runtime> {
  const runtime = await startRuntime({
    model: resolve(import.meta.dirname, 'models', model),
    host: '127.0.0.1',
    port: 0,
    cancelGraceMs: 200,
    ...options,
  })
  await vi.waitFor(async () => expect((await runtime.predictor.health()).status).not.toBe('STARTING'))
  return runtime
}

export async function post(
  url: string,
  input: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: PredictionSnapshot }> {
  const response = await fetch(`${url}/predictions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ input }),
  })
  return { status: response.status, body: (await response.json()) as PredictionSnapshot }
}

/** The prediction once it ended, or is what `status` says. */
export async function until(url: string, id: string, status?: string): Promise<PredictionSnapshot> {
  return vi.waitFor(async () => {
    const snapshot = (await (await fetch(`${url}/predictions/${id}`)).json()) as PredictionSnapshot
    expect(status ? snapshot.status === status : snapshot.completed_at !== null).toBe(true)
    return snapshot
  })
}
