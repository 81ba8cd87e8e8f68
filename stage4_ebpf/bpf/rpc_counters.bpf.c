// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * Counts what the observed process does on the TCP connections that it serves.
 *
 * A socket is recognised by a tag in its socket storage, not by a pid: the tag is put on each
 * socket that the process makes listen, the kernel copies it into every connection that comes from
 * it (BPF_F_CLONE), and frees it with the socket. So there is no table to size, no entry to leak,
 * and softirq, which runs on behalf of nobody, knows the sockets as well. Any other socket of the
 * host costs one failed look-up.
 */
#include <stdbool.h>

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "stage4_ebpf/bpf/counters.h"
#include "stage4_ebpf/bpf/kernel_types.h"

/* The observed process, as its own pid namespace numbers it; device and inode name that one. */
const volatile __u32 target_tgid = 0;
const volatile __u64 target_pidns_dev = 0;
const volatile __u64 target_pidns_ino = 0;

struct socket_tag {
	__u32 open;	 /* 1 while the connection is counted as opened and not as closed. */
	__u32 write_end; /* Sequence number after the last byte that was counted as written. */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct socket_tag);
} tags SEC(".maps");

/* One entry for each possible CPU; whoever loads this sets max_entries. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct rps_counters);
} counters SEC(".maps");

static __always_inline struct rps_counters *counters_here(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&counters, &cpu);
}

/*
 * Programs can be preempted and interrupted by softirq, so even a counter that belongs to one CPU
 * needs an atomic addition.
 */
static __always_inline void add(__u64 *counter, __u64 amount)
{
	__sync_fetch_and_add(counter, amount);
}

static __always_inline struct socket_tag *tag_of(const struct sock *sk)
{
	return bpf_sk_storage_get(&tags, (void *)sk, NULL, 0);
}

static __always_inline bool current_is_target(void)
{
	struct bpf_pidns_info info;

	/* Fails in any other pid namespace. */
	if (bpf_get_ns_current_pid_tgid(target_pidns_dev, target_pidns_ino, &info, sizeof(info)))
		return false;
	return info.tgid == target_tgid;
}

static __always_inline void listens(const struct sock *sk, struct rps_counters *here)
{
	if (!current_is_target())
		return;
	if (bpf_sk_storage_get(&tags, (void *)sk, NULL, BPF_SK_STORAGE_GET_F_CREATE))
		add(&here->listeners, 1);
	else
		add(&here->listeners_lost, 1);
}

static __always_inline void established(const struct sock *sk, struct rps_counters *here)
{
	struct socket_tag *tag = tag_of(sk);
	struct tcp_sock *tcp;

	if (!tag)
		return;
	tcp = bpf_skc_to_tcp_sock((void *)sk);
	if (!tcp)
		return;
	tag->open = 1;
	tag->write_end = tcp->write_seq;
	add(&here->connections_opened, 1);
}

static __always_inline void closed(const struct sock *sk, struct rps_counters *here)
{
	struct socket_tag *tag = tag_of(sk);

	/* A listener closes as well, and a socket can be set to closed twice. */
	if (!tag || !tag->open)
		return;
	tag->open = 0;
	add(&here->connections_closed, 1);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_socket_state, const struct sock *sk, int old_state, int new_state)
{
	struct rps_counters *here = counters_here();

	if (!here)
		return 0;
	if (new_state == BPF_TCP_LISTEN)
		listens(sk, here);
	else if (new_state == BPF_TCP_ESTABLISHED)
		established(sk, here);
	else if (new_state == BPF_TCP_CLOSE)
		closed(sk, here);
	return 0;
}

/* Fires for each socket buffer that a receive call copies from, before the copy. */
SEC("tp_btf/skb_copy_datagram_iovec")
int BPF_PROG(on_read, const struct sk_buff *skb, int len)
{
	const struct sock *sk = skb->sk;
	struct rps_counters *here;

	if (!sk || !tag_of(sk))
		return 0;
	here = counters_here();
	if (!here)
		return 0;
	add(&here->reads, 1);
	add(&here->read_bytes, len);
	return 0;
}

/*
 * Fires for each piece that a send call is cut into, before the piece is copied. The pieces of one
 * message end at the same sequence number, also when the socket buffer was full and a later call
 * brings the rest; what ends there was counted with the first piece.
 */
SEC("tp_btf/tcp_sendmsg_locked")
int BPF_PROG(on_write, const struct sock *sk, const struct msghdr *msg)
{
	struct socket_tag *tag = tag_of(sk);
	struct rps_counters *here;
	struct tcp_sock *tcp;
	__s32 fresh;
	__u32 end;

	if (!tag)
		return 0;
	tcp = bpf_skc_to_tcp_sock((void *)sk);
	here = counters_here();
	if (!tcp || !here)
		return 0;
	end = tcp->write_seq + (__u32)msg->msg_iter.count;
	fresh = end - tag->write_end; /* Signed: sequence numbers wrap. */
	if (fresh <= 0)
		return 0;
	tag->write_end = end;
	add(&here->writes, 1);
	add(&here->write_bytes, fresh);
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(on_retransmit, const struct sock *sk)
{
	struct rps_counters *here;

	if (!tag_of(sk))
		return 0;
	here = counters_here();
	if (here)
		add(&here->retransmits, 1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
