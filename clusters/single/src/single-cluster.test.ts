import { clusterSuite } from '@hookmq/api/testing'
import { createClusters } from './single-cluster.ts'

clusterSuite('single', async (_scope, names) => createClusters(names))
