// Stops an instance under an account that may not kill it, and tells what came of it. Arguments: the engine's folder,
// the instance.
import { defaultLimits } from '../../src/config.ts'
import { ProcessEngine } from '../../src/engine/process/process-engine.ts'

const [, , folder, id] = process.argv
const engine = new ProcessEngine({
  folder,
  owner: 'somebody',
  environment: process.env,
  limits: { ...defaultLimits, killMs: 200 },
})
process.setgid(65534)
process.setuid(65534)
const message = await engine.stop(id, 0).then(
  (stopped) => `stopped: ${stopped}`,
  (error) => error.message,
)
process.send(message, () => process.disconnect())
