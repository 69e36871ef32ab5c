import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'

/** Processes that want the lock of one folder, each taking it when it is told to. */
export class LockStarters implements AsyncDisposable {
  readonly folder: string
  private readonly children: ChildProcess[] = []

  private constructor(folder: string) {
    this.folder = folder
  }

  static async open(): Promise<LockStarters> {
    return new LockStarters(await mkdtemp(join(tmpdir(), 'origami-lock-')))
  }

  async starter(): Promise<ChildProcess> {
    const file = join(import.meta.dirname, 'lock-starter.mjs')
    const child = fork(file, [this.folder], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.children.push(child)
    await once(child, 'message')
    return child
  }

  /** Lets all of them take the lock at once and kills the one that has it, `rounds` times. */
  async race(starters: number, rounds: number): Promise<void> {
    const waiting = await Promise.all(Array.from({ length: starters }, () => this.starter()))
    await writeFile(join(this.folder, 'lock'), '999999999 1')
    for (let round = 1; round <= rounds; round += 1) {
      const answers = await Promise.all(waiting.map(took))
      expect(answers.filter((won) => won)).toHaveLength(1)
      const [winner] = waiting.splice(answers.indexOf(true), 1)
      const gone = once(winner as ChildProcess, 'exit')
      winner?.kill('SIGKILL')
      await gone
      if (round < rounds) waiting.push(await this.starter())
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.children) child.kill('SIGKILL')
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** Tells it to take the lock. False: it was refused. */
export async function took(child: ChildProcess): Promise<boolean> {
  const answer = once(child, 'message')
  child.send('take')
  return (await answer)[0] === 'taken'
}
