export { type DaemonConfig, defaultLimits, type Limits, type Parts } from './config.ts'
export { type Daemon, startDaemon } from './daemon.ts'
