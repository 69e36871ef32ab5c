import { appendFileSync, readFileSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { demo, file, text } from 'origami-lib'

/** Tries to write to its input, says where it stands and what it has then, and may give a link for a result. */
export default demo({
  title: 'Meddler',
  inputs: { paper: file(), link: text({ optional: true }) },
  outputs: { said: text(), result: file() },
  async predict({ paper, link }) {
    let wrote = 'wrote'
    try {
      appendFileSync(paper.path, ' and more')
    } catch (error) {
      wrote = (error as NodeJS.ErrnoException).code ?? String(error)
    }
    const said = `${paper.path}: ${wrote}, ${readFileSync(paper.path, 'utf8')}`
    if (!link) return { said, result: { path: paper.path } }
    const result = join(tmpdir(), `link-${Date.now()}`)
    symlinkSync(link, result)
    return { said, result: { path: result } }
  },
})
