// SPDX-License-Identifier: GPL-2.0
/*
 * What sockets between processes call of the network that is left out: devices, routes, netlink, ethtool, receive queues.
 * There is no device, so a search finds none, and what only a packet from a device can reach ends the machine.
 */
#include <linux/if.h>
#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <linux/panic.h>
#include <net/dst.h>
#include <net/rtnetlink.h>
#include <net/sock.h>
#include <net/sock_reuseport.h>

DEFINE_PER_CPU_ALIGNED(struct softnet_data, softnet_data);

/* Never reached: each of these takes a device, a packet from one, or a message of a netlink socket. */
void no_device(void);
void no_device(void)
{
    panic("the network that is left out was called from %px\n", __builtin_return_address(0));
}

#define LEFT_OUT(name) asm(".globl " #name "\n.set " #name ", no_device\n")
LEFT_OUT(__dev_kfree_skb_any);
LEFT_OUT(__dev_queue_xmit);
LEFT_OUT(__nlmsg_put);
LEFT_OUT(__xdp_return);
LEFT_OUT(dev_forward_skb_nomtu);
LEFT_OUT(ethtool_get_phc_vclocks);
LEFT_OUT(generic_xdp_tx);
LEFT_OUT(inet_proto_csum_replace4);
LEFT_OUT(inet_proto_csum_replace_by_diff);
LEFT_OUT(metadata_dst_alloc_percpu);
LEFT_OUT(metadata_dst_free_percpu);
LEFT_OUT(napi_busy_loop);
LEFT_OUT(napi_get_frags);
LEFT_OUT(net_disable_timestamp);
LEFT_OUT(net_enable_timestamp);
LEFT_OUT(netdev_core_stats_alloc);
LEFT_OUT(netdev_master_upper_dev_get_rcu);
LEFT_OUT(netdev_rx_csum_fault);
LEFT_OUT(netif_rx);
LEFT_OUT(netlink_broadcast);
LEFT_OUT(netlink_ns_capable);
LEFT_OUT(netlink_rcv_skb);
LEFT_OUT(netlink_strict_get_check);
LEFT_OUT(reuseport_detach_sock);
LEFT_OUT(rtnl_get_net_ns_capable);
LEFT_OUT(rtnl_notify);
LEFT_OUT(rtnl_set_sk_err);
LEFT_OUT(rtnl_unicast);
LEFT_OUT(skb_network_protocol);
LEFT_OUT(sock_diag_broadcast_destroy);
LEFT_OUT(xdp_convert_zc_to_xdp_frame);
LEFT_OUT(xdp_warn);

/* Searches for a device. */
struct net_device *dev_get_by_index(struct net *net, int index)
{
    return NULL;
}

struct net_device *dev_get_by_index_rcu(struct net *net, int index)
{
    return NULL;
}

struct net_device *dev_get_by_napi_id(unsigned int id)
{
    return NULL;
}

int dev_ioctl(struct net *net, unsigned int command, struct ifreq *request, void __user *data, bool *changed)
{
    return -ENODEV;
}

int dev_ifconf(struct net *net, struct ifconf __user *list)
{
    return -ENODEV;
}

void unregister_netdevice_many(struct list_head *devices)
{
    if (!list_empty(devices))
        no_device();
}

/* A socket between processes has no route. */
void dst_release(struct dst_entry *route)
{
    if (route)
        no_device();
}

/* What is said of a packet to a socket's own filter: nothing of a protocol. */
u32 skb_get_poff(const struct sk_buff *packet)
{
    return 0;
}

void no_hash(void);
void no_hash(void)
{
}

asm(".globl __skb_get_hash, __skb_get_hash_net\n.set __skb_get_hash, no_hash\n.set __skb_get_hash_net, no_hash\n"); /* its name before and after a change within 6.1 */

/* Sockets that share a port: there are no ports. */
int reuseport_attach_prog(struct sock *socket, struct bpf_prog *program)
{
    return -EINVAL;
}

int reuseport_detach_prog(struct sock *socket)
{
    return -EINVAL;
}

void reuseport_update_incoming_cpu(struct sock *socket, int cpu)
{
    WRITE_ONCE(socket->sk_incoming_cpu, cpu);
}

/* The number that SO_COOKIE gives: the next one. */
u64 __sock_gen_cookie(struct sock *socket)
{
    static u64 last;

    if (!atomic64_read(&socket->sk_cookie))
        atomic64_set(&socket->sk_cookie, ++last);
    return atomic64_read(&socket->sk_cookie);
}

/* Netlink: nobody listens, so the kernel's own messages about its objects are never written. */
struct sock *__netlink_kernel_create(struct net *net, int unit, struct module *module, struct netlink_kernel_cfg *how)
{
    static struct sock nobody;

    sock_net_set(&nobody, &init_net); /* which is never freed, as a step's is */
    return &nobody;
}

void netlink_kernel_release(struct sock *socket)
{
}

int netlink_has_listeners(struct sock *socket, unsigned int group)
{
    return 0;
}

void rtnl_register(int protocol, int type, rtnl_doit_func act, rtnl_dumpit_func list, unsigned int flags)
{
}

/* Linux's lock of all devices, taken when a step's network ends: there is nothing to lock. */
void rtnl_lock(void)
{
}

void rtnl_unlock(void)
{
}

void do_trace_netlink_extack(const char *text)
{
}

/* Warnings about packets: none. */
int net_ratelimit(void)
{
    return 0;
}
