import { inputFilesContract } from './input-files.ts'

inputFilesContract('docker')
