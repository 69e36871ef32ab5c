export { type DaemonConfig, defaultLimits, type Limits } from './config.ts'
export { type Daemon, startDaemon } from './daemon.ts'
export { guaranteesOf } from './engine/guarantees.ts'
