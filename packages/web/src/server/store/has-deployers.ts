import { listDeployers } from './deployers.ts'
import { hasStore, openStore } from './open.ts'

/** Whether anybody may deploy besides the owner. `data`: the state folder of the web server, which may be none yet. */
export async function hasDeployers(data: string): Promise<boolean> {
  if (!hasStore(data)) return false
  const db = await openStore(data)
  try {
    return (await listDeployers(db)).length > 0
  } finally {
    await db.destroy()
  }
}
