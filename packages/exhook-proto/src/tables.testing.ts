/** The messages of ExHook as `number name type`, as EMQX's documentation and wire traffic have them. `+` = only in v3. */
export const messageTables: Readonly<Record<string, string>> = {
  ProviderLoadedRequest: '1 broker BrokerInfo, 2 meta RequestMeta',
  ProviderUnloadedRequest: '1 meta RequestMeta',
  ClientConnectRequest: '1 conninfo ConnInfo, 2 props Property[], 3 meta RequestMeta, +4 user_props Property[]',
  ClientConnackRequest:
    '1 conninfo ConnInfo, 2 result_code string, 3 props Property[], 4 meta RequestMeta, +5 user_props Property[]',
  ClientConnectedRequest: '1 clientinfo ClientInfo, 2 meta RequestMeta',
  ClientDisconnectedRequest: '1 clientinfo ClientInfo, 2 reason string, 3 meta RequestMeta',
  ClientAuthenticateRequest: '1 clientinfo ClientInfo, 2 result bool, 3 meta RequestMeta',
  ClientAuthorizeRequest:
    '1 clientinfo ClientInfo, 2 type AuthorizeReqType, 3 topic string, 4 result bool, 5 meta RequestMeta',
  ClientSubscribeRequest:
    '1 clientinfo ClientInfo, 2 props Property[], 3 topic_filters TopicFilter[], 4 meta RequestMeta, +5 user_props Property[]',
  ClientUnsubscribeRequest:
    '1 clientinfo ClientInfo, 2 props Property[], 3 topic_filters TopicFilter[], 4 meta RequestMeta, +5 user_props Property[]',
  SessionCreatedRequest: '1 clientinfo ClientInfo, 2 meta RequestMeta',
  SessionSubscribedRequest: '1 clientinfo ClientInfo, 2 topic string, 3 subopts SubOpts, 4 meta RequestMeta',
  SessionUnsubscribedRequest: '1 clientinfo ClientInfo, 2 topic string, 3 meta RequestMeta',
  SessionResumedRequest: '1 clientinfo ClientInfo, 2 meta RequestMeta',
  SessionDiscardedRequest: '1 clientinfo ClientInfo, 2 meta RequestMeta',
  SessionTakenoverRequest: '1 clientinfo ClientInfo, 2 meta RequestMeta',
  SessionTerminatedRequest: '1 clientinfo ClientInfo, 2 reason string, 3 meta RequestMeta',
  MessagePublishRequest: '1 message Message, 2 meta RequestMeta, +3 props Property[], +4 user_props Property[]',
  MessageDeliveredRequest: '1 clientinfo ClientInfo, 2 message Message, 3 meta RequestMeta',
  MessageDroppedRequest: '1 message Message, 2 reason string, 3 meta RequestMeta',
  MessageAckedRequest: '1 clientinfo ClientInfo, 2 message Message, 3 meta RequestMeta',
  LoadedResponse: '1 hooks HookSpec[]',
  HookSpec: '1 name string, 2 topics string[]',
  EmptySuccess: '',
  ValuedResponse: '1 type ResponsedType, 3 bool_result bool of value, 4 message Message of value',
  BrokerInfo: '1 version string, 2 sysdescr string, 3 uptime int64, 4 datetime string',
  RequestMeta: '1 node string, 2 version string, 3 sysdescr string, 4 cluster_name string',
  ConnInfo:
    '1 node string, 2 clientid string, 3 username string, 4 peerhost string, 5 sockport uint32, 6 proto_name string, ' +
    '7 proto_ver string, 8 keepalive uint32, 9 peerport uint32',
  ClientInfo:
    '1 node string, 2 clientid string, 3 username string, 4 password string, 5 peerhost string, 6 sockport uint32, ' +
    '7 protocol string, 8 mountpoint string, 9 is_superuser bool, 10 anonymous bool, 11 cn string, 12 dn string, ' +
    '13 peerport uint32',
  Message:
    '1 node string, 2 id string, 3 qos uint32, 4 from string, 5 topic string, 6 payload bytes, 7 timestamp uint64, ' +
    '8 headers map<string, string>',
  Property: '1 name string, 2 value string',
  TopicFilter: '1 name string, 3 subopts SubOpts',
  SubOpts: '1 qos uint32, 3 rh uint32, 4 rap uint32, 5 nl uint32',
}

/** Values of the nested enumerations. */
export const enumTables: Readonly<Record<string, string>> = {
  'ClientAuthorizeRequest.AuthorizeReqType': 'PUBLISH = 0, SUBSCRIBE = 1',
  'ValuedResponse.ResponsedType': 'CONTINUE = 0, IGNORE = 1, STOP_AND_RETURN = 2',
}

/** Numbers and names that must not be used again. */
export const reservedTables: Readonly<Record<string, string>> = { TopicFilter: '2 qos', SubOpts: '2 share' }

/** Name of the call, request, reply, and the hook's name. */
export const callTable: readonly (readonly [string, string, string, string | undefined])[] = [
  ['OnProviderLoaded', 'ProviderLoadedRequest', 'LoadedResponse', undefined],
  ['OnProviderUnloaded', 'ProviderUnloadedRequest', 'EmptySuccess', undefined],
  ['OnClientConnect', 'ClientConnectRequest', 'EmptySuccess', 'client.connect'],
  ['OnClientConnack', 'ClientConnackRequest', 'EmptySuccess', 'client.connack'],
  ['OnClientConnected', 'ClientConnectedRequest', 'EmptySuccess', 'client.connected'],
  ['OnClientDisconnected', 'ClientDisconnectedRequest', 'EmptySuccess', 'client.disconnected'],
  ['OnClientAuthenticate', 'ClientAuthenticateRequest', 'ValuedResponse', 'client.authenticate'],
  ['OnClientAuthorize', 'ClientAuthorizeRequest', 'ValuedResponse', 'client.authorize'],
  ['OnClientSubscribe', 'ClientSubscribeRequest', 'EmptySuccess', 'client.subscribe'],
  ['OnClientUnsubscribe', 'ClientUnsubscribeRequest', 'EmptySuccess', 'client.unsubscribe'],
  ['OnSessionCreated', 'SessionCreatedRequest', 'EmptySuccess', 'session.created'],
  ['OnSessionSubscribed', 'SessionSubscribedRequest', 'EmptySuccess', 'session.subscribed'],
  ['OnSessionUnsubscribed', 'SessionUnsubscribedRequest', 'EmptySuccess', 'session.unsubscribed'],
  ['OnSessionResumed', 'SessionResumedRequest', 'EmptySuccess', 'session.resumed'],
  ['OnSessionDiscarded', 'SessionDiscardedRequest', 'EmptySuccess', 'session.discarded'],
  ['OnSessionTakenover', 'SessionTakenoverRequest', 'EmptySuccess', 'session.takenover'],
  ['OnSessionTerminated', 'SessionTerminatedRequest', 'EmptySuccess', 'session.terminated'],
  ['OnMessagePublish', 'MessagePublishRequest', 'ValuedResponse', 'message.publish'],
  ['OnMessageDelivered', 'MessageDeliveredRequest', 'EmptySuccess', 'message.delivered'],
  ['OnMessageDropped', 'MessageDroppedRequest', 'EmptySuccess', 'message.dropped'],
  ['OnMessageAcked', 'MessageAckedRequest', 'EmptySuccess', 'message.acked'],
]
