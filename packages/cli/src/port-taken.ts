import { Failure } from './failure.ts'

interface ListenError extends NodeJS.ErrnoException {
  readonly port?: number
  readonly address?: string
  readonly hostname?: string
}

const notOurs = ['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EINVAL']

/**
 * Explains the error of a port that is in use or not permitted, with the flag that changes it, and the error of an
 * address that this host does not have.
 */
export async function orPortTaken<Server>(flag: string, starting: Promise<Server>): Promise<Server> {
  try {
    return await starting
  } catch (error) {
    const { code = '', syscall, port, address, hostname } = error as ListenError
    if (code === 'EADDRINUSE') throw new Failure(`port ${port} is taken by another program; ${flag} chooses another`)
    if (code === 'EACCES' && syscall === 'listen')
      throw new Failure(`port ${port} is not for this account to listen on; ${flag} chooses another`)
    if (!notOurs.includes(code) || !['listen', 'getaddrinfo'].includes(syscall ?? '')) throw error
    const place = hostname ?? address
    throw new Failure(`host: expected an address that this machine has, such as 127.0.0.1, got ${place} (${code})`)
  }
}
