import { execa } from 'execa'

const patienceMs = 10_000

/** Whether a program exists and exits with 0 for these arguments. A program that hangs does not. */
export async function programWorks(
  command: string,
  args: readonly string[],
  { cwd, env, signal }: { cwd?: string; env?: Readonly<Record<string, string>>; signal?: AbortSignal } = {},
): Promise<boolean> {
  const cancelSignal = AbortSignal.any([AbortSignal.timeout(patienceMs), ...(signal ? [signal] : [])])
  const { failed } = await execa(command, args, {
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env, extendEnv: false }),
    cancelSignal,
    forceKillAfterDelay: 500,
    reject: false,
    stdin: 'ignore',
    buffer: false,
  })
  signal?.throwIfAborted()
  return !failed
}
