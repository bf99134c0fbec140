// The four topics of connector-registrar as event hubs of one namespace, and the roles that a worker needs.
//
//   az deployment group create --resource-group '<resource group>' --template-file deploy/azure/event-hubs.bicep \
//     --parameters namespaceName='<name>' workerPrincipalIds='["<object id of the worker's identity>"]'
//
// Kafka's consumer groups come into being with their first commit; what Azure calls the consumer groups of an event hub are
// those of AMQP, and a worker uses none. Run it again as often as you like: it changes nothing that is as it should be. The
// cleanup policy and, below Premium, the partition count of an event hub can't be changed afterwards.

@description('Name of the namespace: its first label in NAMESPACE.servicebus.windows.net.')
@minLength(6)
@maxLength(50)
param namespaceName string

param location string = resourceGroup().location

@description('Basic has neither Kafka nor compaction.')
@allowed([
  'Standard'
  'Premium'
])
param tier string = 'Standard'

@description('Throughput units (Standard, 1 to 40) or processing units (Premium, 1, 2, 4, 8, 16).')
@minValue(1)
param capacity int = 1

@description('Of all four. A tenant is bound to one partition. Standard: 32 at most.')
@minValue(1)
@maxValue(100)
param partitionCount int = 8

@description('KAFKA_TOPIC_PREFIX, if one is set.')
param topicPrefix string = ''

@description('How long enrollments, what waits in retry, and dead letters are kept: longer than twice TENANT_BLOCKED_MAX. Standard: 168 at most, Premium 2160.')
@minValue(48)
param retentionHours int = 168

@description('Object ids of the identities of workers, and of who else emits and reads.')
param workerPrincipalIds array = []

@description('Object ids of installers that only emit.')
param installerPrincipalIds array = []

@description('False: connection strings are refused, and only tokens of Entra let in.')
param allowConnectionStrings bool = false

var senderRole = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '2b629674-e913-4c01-ae53-ef4638d8f975')
var receiverRole = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde')

resource namespace 'Microsoft.EventHub/namespaces@2024-01-01' = {
  name: namespaceName
  location: location
  sku: {
    name: tier
    tier: tier
    capacity: capacity
  }
  properties: {
    kafkaEnabled: true
    minimumTlsVersion: '1.2'
    disableLocalAuth: !allowConnectionStrings
  }
}

var deleted = [
  'connector.enrolled'
  'connector.enrolled.retry'
  'connector.enrolled.dlq'
]

resource inputs 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' = [
  for name in deleted: {
    parent: namespace
    name: '${topicPrefix}${name}'
    properties: {
      partitionCount: partitionCount
      retentionDescription: {
        cleanupPolicy: 'Delete'
        retentionTimeInHours: retentionHours
      }
    }
  }
]

// The memory of what is registered: the newest record of each key stays for ever.
resource registered 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' = {
  parent: namespace
  name: '${topicPrefix}connector.registered'
  properties: {
    partitionCount: partitionCount
    retentionDescription: {
      cleanupPolicy: 'Compact'
      tombstoneRetentionTimeInHours: 24
    }
  }
}

resource workersSend 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in workerPrincipalIds: {
    scope: namespace
    name: guid(namespace.id, principalId, senderRole)
    properties: {
      principalId: principalId
      roleDefinitionId: senderRole
    }
  }
]

resource workersReceive 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in workerPrincipalIds: {
    scope: namespace
    name: guid(namespace.id, principalId, receiverRole)
    properties: {
      principalId: principalId
      roleDefinitionId: receiverRole
    }
  }
]

resource installersSend 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in installerPrincipalIds: {
    scope: inputs[0]
    name: guid(inputs[0].id, principalId, senderRole)
    properties: {
      principalId: principalId
      roleDefinitionId: senderRole
    }
  }
]

output brokers string = '${namespaceName}.servicebus.windows.net:9093'
