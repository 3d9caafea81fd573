import { definePlugin } from '@hookmq/api'

/** What EMQ 2.3 has as one plugin with one file of settings. */
export default definePlugin({
  name: 'modules',
  version: '0.1.0',
  api: '^0.1.0',
  aliases: ['emq_modules', 'emqx_modules'],
  description: 'The modules presence, subscription and rewrite under one name',
  includes: ['presence', 'subscription', 'rewrite'],
  setup() {},
})
