/** The names that a demo's title may come from. */
export interface Names {
  /** The title in `.origami`. */
  readonly manifest?: string | undefined
  /** The title in the model, or the name of its file. */
  readonly model?: string | undefined
  /** The name that the operator sets: the repository's or the bundle's. */
  readonly configured?: string | undefined
  /** The name of the model's folder. */
  readonly folder: string
}

/** The title on the page: from `.origami`, else the model, else the repository, else the folder. */
export function demoTitle({ manifest, model, configured, folder }: Names): string {
  return manifest || model || readableName(configured ?? '') || readableName(folder) || 'Model'
}

/** `dog-breeds` → `Dog breeds` */
export function readableName(name: string): string {
  const spaced = name.replaceAll(/[-_]+/g, ' ').trim()
  return (spaced.charAt(0).toUpperCase() + spaced.slice(1)).slice(0, 200)
}
