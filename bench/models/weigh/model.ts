import { stat, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { demo, file, number } from 'origami-lib'

/** Says how large its input is, and how many bytes stand in its own temporary folder meanwhile. */
export default demo({
  title: 'Weigh',
  inputs: { paper: file() },
  outputs: { size: number(), temporary: number() },
  async predict({ paper }) {
    const { blocks, bfree, bsize } = await statfs(tmpdir())
    return { size: (await stat(paper.path)).size, temporary: (blocks - bfree) * bsize }
  },
})
