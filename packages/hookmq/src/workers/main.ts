import { superviseWorker } from './worker.ts'

superviseWorker()
