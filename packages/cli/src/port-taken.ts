import { Failure } from './failure.ts'

/** The error of a port that is in use, with the flag that changes it. */
export async function orPortTaken<Server>(flag: string, starting: Promise<Server>): Promise<Server> {
  try {
    return await starting
  } catch (error) {
    const { code, port } = error as NodeJS.ErrnoException & { port?: number }
    if (code !== 'EADDRINUSE') throw error
    throw new Failure(`port ${port} is taken by another program; ${flag} chooses another`)
  }
}
