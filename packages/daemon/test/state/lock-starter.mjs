// Takes the lock of a folder each time it is told to, and tells whether it got it.
import { lockFolder } from '../../src/state/lock.ts'

const [, , folder] = process.argv
let held
process.on('message', async () => {
  held = await lockFolder(folder).catch((error) => {
    if (!String(error.message).includes('belongs to')) throw error
  })
  process.send(held ? 'taken' : 'refused')
})
process.send('ready')
