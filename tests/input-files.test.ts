import { inputFilesContract } from './input-files.ts'

inputFilesContract('process')
