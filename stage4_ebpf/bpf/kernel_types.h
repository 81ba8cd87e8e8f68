/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The few members of kernel structures that the programs read, kept by hand instead of a generated
 * vmlinux.h: one can review them, and they build where the kernel has no BTF. Only names and types
 * matter here. The offsets are those of the running kernel: preserve_access_index makes clang
 * record every access and libbpf relocate it at load time.
 */
#pragma once

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sock;

struct sk_buff {
	struct sock *sk;
};

struct tcp_sock {
	__u32 write_seq; /* Sequence number after the last byte that was put into the send queue. */
};

struct iov_iter {
	__kernel_size_t count; /* Bytes that are left to copy. */
};

struct msghdr {
	struct iov_iter msg_iter;
};

#pragma clang attribute pop
