export { ClientInfoCache } from './client-info.ts'
export { encode, type MapContext, type RequestMeta, requestMeta } from './context.ts'
export { type EncodeContext, type ExHookPoint, encodeRequest, isExHookPoint, keyOf } from './requests.ts'
export { isUnusable, isValued, type Unusable, type ValuedPoint, verdictOf } from './verdict.ts'
