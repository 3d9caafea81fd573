export { ownerOf } from './owner.ts'
export { WorkersCluster, type WorkersClusterOptions } from './workers-cluster.ts'
