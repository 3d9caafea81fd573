import type { Listener, RetainedStore } from '@hookmq/api'
import type { BrokerOptions } from '@hookmq/core'
import type { PluginSpec } from '../plugins/prepare.ts'
import type { ListenerSpec } from './listeners.ts'
import type { PluginStore } from './store.ts'

/** What `createBroker` takes: every option of the broker itself, and the parts that it is put together from. */
export interface CreateBrokerOptions extends Partial<BrokerOptions> {
  /** Where clients connect. Default: none; the broker is then reached by links and attached servers. */
  listeners?: readonly (ListenerSpec | Listener)[]
  /** In the order in which they are set up. Relative paths are taken from the working directory. */
  plugins?: readonly PluginSpec[]
  /** Where retained messages live. Default: in memory. */
  retained?: RetainedStore
  /**
   * Where plugins keep their values; stays the caller's, who closes it after `stop`. Default: the durable store when there is a `dataDir` or a
   * `store.type` in `configFile` or `set`, else in memory.
   */
  store?: PluginStore
  /** Folder for everything that the broker keeps; no other broker can use it meanwhile. Default: nothing is kept. */
  dataDir?: string
  /** A `hookmq.conf` to read. Options that are given here win over what it says. Default: no file is read. */
  configFile?: string
  /** Settings under the names of `hookmq.conf`, such as `{ 'mqtt.max_packet_size': '64KB' }`. They win over the file. */
  set?: Readonly<Record<string, string>>
}
