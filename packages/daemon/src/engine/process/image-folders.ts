import { existsSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { BuildRequest, Image, ImageRef } from '../engine.ts'
import { aboutImage, type BuilderParts, prepareFolder } from './prepare-folder.ts'
import { imageSchema, readJson, unlessOutOfFiles, writeWhole } from './records.ts'

/** The images of a process engine. Each is a folder, which counts as an image once its record is written. */
export class ImageFolders {
  private readonly root: string
  private readonly builder: BuilderParts
  /** The folders of builds that are under way. */
  private readonly building = new Set<string>()

  constructor(root: string, builder: BuilderParts) {
    this.root = root
    this.builder = builder
  }

  /** Makes the folder of images, and removes incomplete builds of earlier daemons. */
  async open(): Promise<void> {
    for (const folder of [this.root, this.builder.home]) await mkdir(folder, { recursive: true, mode: 0o700 })
    for (const name of await readdir(this.root)) {
      const image = join(this.root, name)
      if (!this.building.has(image) && !existsSync(join(image, aboutImage)))
        await rm(image, { recursive: true, force: true })
    }
  }

  /**
   * Builds into a folder that only this attempt uses. Idempotent for each deployment. Throws ConfigError, BuildError.
   */
  async build(request: BuildRequest, signal: AbortSignal): Promise<ImageRef> {
    const { demo, deployment } = request
    const before = (await this.list()).find((image) => image.deployment === deployment)
    if (before) return before.ref
    const image = join(this.root, `${deployment}-${crypto.randomUUID().slice(0, 8)}`)
    this.building.add(image)
    try {
      await prepareFolder(request, this.builder, image, signal)
      await writeWhole(join(image, aboutImage), JSON.stringify({ demo, deployment }))
      return image as ImageRef
    } catch (error) {
      await rm(image, { recursive: true, force: true })
      throw error
    } finally {
      this.building.delete(image)
    }
  }

  async list(): Promise<readonly Image[]> {
    const images: Image[] = []
    // Before the engine is ready the folder does not exist, and there are no images.
    for (const name of await readdir(this.root).catch(unlessOutOfFiles([]))) {
      const ref = join(this.root, name) as ImageRef
      const about = await readJson(join(ref, aboutImage), imageSchema)
      if (about) images.push({ ref, ...about })
    }
    return images
  }

  /** False: there is no such image. */
  async remove(image: ImageRef): Promise<boolean> {
    if (dirname(image) !== this.root || !existsSync(image)) return false
    await rm(image, { recursive: true, force: true })
    return true
  }
}
