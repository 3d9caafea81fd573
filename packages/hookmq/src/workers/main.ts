import { inlineMore } from '../cli/inline-more.ts'
import { superviseWorker } from './worker.ts'

inlineMore()
superviseWorker()
