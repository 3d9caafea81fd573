export { WorkersCluster, type WorkersClusterOptions } from './workers-cluster.ts'
