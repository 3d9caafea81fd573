export { createClusters, type SingleCluster } from './single-cluster.ts'
