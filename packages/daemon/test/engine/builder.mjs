// A process that builds a bundle, as a daemon does, until it is killed. Arguments: the engine's folder, the owner, the
// bundle's folder.
import { ProcessEngine } from '../../src/engine/process/process-engine.ts'

const [, , folder, owner, bundle] = process.argv
const engine = new ProcessEngine({ folder, owner, environment: process.env })
const signal = new AbortController().signal
await engine.ready(signal)
const onLog = ({ text }) => process.send(text)
await engine.build({ demo: 'demo', deployment: 'deployment1', folder: bundle, manifest: {}, onLog }, signal)
