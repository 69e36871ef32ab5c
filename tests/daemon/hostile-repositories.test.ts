import { type Broken, brokenEverywhere, everyHold, hostileRepositories } from './hostile-repositories.ts'

const broken: readonly Broken[] = [
  ...brokenEverywhere,
  { what: 'without a runtime', files: { origami: null }, state: 'config_error', says: 'origami bundle' },
  { what: 'that does not install', files: { 'package.json': '{' }, state: 'build_failed', says: 'npm' },
]

hostileRepositories('process', broken, everyHold)
