import { Validations } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  type ISecurityGroup,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  Subnet,
  type SubnetSelection,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { createLogGroup } from './log-group.ts';
import type { DeploymentOptions } from './options.ts';

/** Where functions run that must not reach the internet. */
export interface Network {
  vpc: IVpc;
  vpcSubnets: SubnetSelection;
  securityGroups: ISecurityGroup[];
}

/** `undefined`: outside of any VPC, where AWS's own endpoints are reached directly. */
export function createNetwork(scope: Construct, options: DeploymentOptions): Network | undefined {
  if (options.vpc === 'none') return undefined;
  if (options.vpc === 'new') return newNetwork(scope, options);
  // By what the options say, not by a look into an account: `cdk synth` needs none.
  const subnets = options.subnets.map((id, at) => Subnet.fromSubnetId(scope, `Subnet${at}`, id));
  const vpc = Vpc.fromVpcAttributes(scope, 'Vpc', {
    vpcId: options.vpc,
    availabilityZones: options.subnets.map((_, at) => `zone-${at}`),
    privateSubnetIds: options.subnets,
  });
  const securityGroups = options.securityGroups.map((id, at) =>
    SecurityGroup.fromSecurityGroupId(scope, `SecurityGroup${at}`, id, { mutable: false }),
  );
  return { vpc, vpcSubnets: { subnets }, securityGroups };
}

/** Two zones, no way to the internet; the services that the functions call have endpoints inside. */
function newNetwork(scope: Construct, options: DeploymentOptions): Network {
  const made = new Vpc(scope, 'Vpc', {
    maxAzs: 2,
    natGateways: 0,
    subnetConfiguration: [{ name: 'functions', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 22 }],
    // Costs nothing, unlike the others.
    gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 } },
  });
  // CDK's own types do not agree with each other under `exactOptionalPropertyTypes`.
  const vpc = made as IVpc;
  vpc.addFlowLog('Flows', {
    destination: FlowLogDestination.toCloudWatchLogs(
      createLogGroup(scope, 'VpcFlowLogs', options.logRetentionDays),
    ),
  });
  const functions = new SecurityGroup(scope, 'FunctionsGroup', {
    vpc,
    description: 'Functions: TLS to the endpoints of AWS, nothing in',
    allowAllOutbound: false,
  });
  // The subnets have routes to the endpoints only.
  functions.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'Endpoints of AWS');
  const endpoints = new SecurityGroup(scope, 'EndpointsGroup', {
    vpc,
    description: 'Endpoints of AWS: TLS from the functions',
    allowAllOutbound: false,
  });
  endpoints.addIngressRule(functions, Port.tcp(443), 'Functions');
  const inside = { securityGroups: [endpoints], open: false };
  vpc.addInterfaceEndpoint('Sqs', { service: InterfaceVpcEndpointAwsService.SQS, ...inside });
  vpc.addInterfaceEndpoint('Secrets', { service: InterfaceVpcEndpointAwsService.SECRETS_MANAGER, ...inside });
  return { vpc, vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED }, securityGroups: [functions] };
}

/** What Lambda needs to put a function into a subnet. */
export function allowNetwork(role: Role): void {
  role.addToPolicy(
    new PolicyStatement({
      actions: [
        'ec2:CreateNetworkInterface',
        'ec2:DescribeNetworkInterfaces',
        'ec2:DescribeSubnets',
        'ec2:DeleteNetworkInterface',
        'ec2:AssignPrivateIpAddresses',
        'ec2:UnassignPrivateIpAddresses',
      ],
      resources: ['*'],
    }),
  );
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'Lambda makes network interfaces under names of its own; AWS documents "*" for these actions.',
  });
}
