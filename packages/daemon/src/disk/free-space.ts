import { statfs } from 'node:fs/promises'
import { logger } from '@origami/host/logger'
import type { Limits } from '../config.ts'

const log = logger('disk')

/** What takes space, from what is refused first when there is little left to what is refused last. */
export type Use = 'build' | 'building' | 'upload' | 'prediction'

/** A file system that this daemon fills. */
export interface Disk {
  /** As it is called on pages: `This server's disk`. */
  readonly name: string
  readonly path: string
  /** Whether only builds fill it. */
  readonly forImages: boolean
}

export interface Space {
  readonly bytes: number
  /** How many files the file system still has room for. Infinity: it does not count them. */
  readonly files: number
}

type FreeSpaceLimits = Pick<
  Limits,
  'freeBuildBytes' | 'freeBuildFiles' | 'freeBuildingBytes' | 'freeUploadBytes' | 'freeUploadFiles'
>

export interface FreeSpaceOptions {
  readonly disks: readonly Disk[]
  readonly limits: FreeSpaceLimits
  readonly read?: (path: string) => Promise<Space>
}

/** For how long one look at the disks is good. */
const freshMs = 250
/** A prediction is not accepted with less, because its end has to be stored too. */
const leastBytes = 8 * 1024 ** 2
const leastFiles = 16

/** Says whether the disks have room for one more of something. A disk that cannot be asked is logged and has room. */
export class FreeSpace {
  private readonly disks: readonly Disk[]
  private readonly limits: FreeSpaceLimits
  private readonly read: (path: string) => Promise<Space>
  private latest: { readonly at: number; readonly spaces: Promise<readonly (Space | undefined)[]> } | undefined

  constructor({ disks, limits, read = spaceAt }: FreeSpaceOptions) {
    this.disks = disks
    this.limits = limits
    this.read = read
  }

  /** Why there is no room, for people. Undefined: there is. */
  async lackFor(use: Use): Promise<string | undefined> {
    const { verb, bytes, files } = this.needOf(use)
    const spaces = await this.look()
    for (const [index, { name, forImages }] of this.disks.entries()) {
      const space = spaces[index]
      if (!space || (forImages && (use === 'upload' || use === 'prediction'))) continue
      if (space.bytes < bytes) return `${name} has ${size(space.bytes)} free, and ${verb} ${size(bytes)}`
      if (space.files < files) return `${name} has room for ${space.files} files, and ${verb} ${files}`
    }
    return undefined
  }

  private needOf(use: Use): Space & { readonly verb: string } {
    const { freeBuildBytes, freeBuildFiles, freeBuildingBytes, freeUploadBytes, freeUploadFiles } = this.limits
    switch (use) {
      case 'build':
        return { verb: 'a deployment begins with', bytes: freeBuildBytes, files: freeBuildFiles }
      case 'building':
        return { verb: 'a build must leave', bytes: freeBuildingBytes, files: Math.ceil(freeBuildFiles / 2) }
      case 'upload':
        return { verb: 'an upload needs', bytes: freeUploadBytes, files: freeUploadFiles }
      case 'prediction':
        return { verb: 'a prediction needs', bytes: leastBytes, files: leastFiles }
    }
  }

  /** Callers that come together share one look. */
  private look(): Promise<readonly (Space | undefined)[]> {
    const now = performance.now()
    if (!this.latest || now - this.latest.at >= freshMs) this.latest = { at: now, spaces: this.lookAtAll() }
    return this.latest.spaces
  }

  private lookAtAll(): Promise<readonly (Space | undefined)[]> {
    return Promise.all(
      this.disks.map(({ path }) =>
        this.read(path).catch((error: unknown) => {
          log.error(`how much is free at ${path} could not be read; it counts as enough`, error)
          return undefined
        }),
      ),
    )
  }
}

/** What an account without privileges may still use of the file system at a path. */
async function spaceAt(path: string): Promise<Space> {
  const { bavail, bsize, files, ffree } = await statfs(path)
  return { bytes: bavail * bsize, files: files === 0 ? Number.POSITIVE_INFINITY : ffree }
}

/** Bytes for people. Thousands, as disks are sold. */
export function size(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(Math.floor(Math.log10(Math.max(1, bytes)) / 3), units.length - 1)
  const value = bytes / 1000 ** power
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${units[power]}`
}
