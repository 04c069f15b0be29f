"""Runs the tests of one of Python's own modules in a pseudo-terminal: python3.11 pythontests.py NAME."""

import os
import pty
import socket
import sys
import unittest

# What some tests want and not every kernel gives a builder.
WITHOUT = {
    "/bin/sh": "test_poll.PollTests.test_poll2",
    "a file of more than 4 GiB": "test_mmap.LargeMmapTests",
    "a pipe of another size (F_SETPIPE_SZ)": "test_fcntl.TestFcntl.test_fcntl_f_pipesize",
    "the older way to watch a directory (F_NOTIFY)": "test_fcntl.TestFcntl.test_fcntl_64_bit",
    "UDP-Lite": (
        "test_socket.BasicUDPLITETest test_socket.SendmsgUDPLITETest test_socket.RecvmsgUDPLITETest test_socket.RecvmsgIntoUDPLITETest "
        "test_socket.UDPLITETimeoutTest"
    ),
    "data out of band": "test_asyncore.TestAPI_UseIPv4Poll.test_handle_expt test_asyncore.TestAPI_UseIPv4Select.test_handle_expt",
    "connections that linger (SO_LINGER)": (
        "test_asyncore.TestAPI_UseIPv4Poll.test_quick_connect test_asyncore.TestAPI_UseIPv4Select.test_quick_connect"
    ),
    "a list of network interfaces (AF_NETLINK)": "test_socket.GeneralModuleTests.testInterfaceNameIndex",
    "descriptors of processes (pidfd_open)": (
        "test_asyncio.test_subprocess.SubprocessPidfdWatcherTests test_signal.PidfdSignalTest test_posix.PosixTester.test_pidfd_open"
    ),
    "Python in the place that it was made for": (
        "test_subprocess.ProcessTestCase.test_executable_without_cwd test_subprocess.ProcessTestCaseNoPoll.test_executable_without_cwd"
    ),
    "a timer finer than linux's tick of 10 ms, or Python skips them: there the measured time is now below that, now above": (
        "test_signal.StressTest.test_stress_delivery_dependent test_signal.StressTest.test_stress_delivery_simultaneous"
    ),
    "/etc/services": "test_socket.GeneralModuleTests.testGetServBy test_socket.GeneralModuleTests.testGetaddrinfo",
}

# What Python says when a test leaves itself out because the machine was slow, or measured so.
_BUSY = ("too slow", "too busy", "load too high")


def busy(skipped):
    """Of pairs of a test and why it was skipped, those that another run may not skip: no count of them is an output."""
    return [(test, reason) for test, reason in skipped if any(word in reason for word in _BUSY)]


def each(tests):
    """The tests in suites of suites."""
    for test in tests:
        if isinstance(test, unittest.TestSuite):
            yield from each(test)
        else:
            yield test


def main(module):
    """The exit status: 0 if all passed."""
    socket.has_ipv6 = False  # linux's loopback, where it has one, is of IPv4
    names = ["test." + name for text in WITHOUT.values() for name in text.split()]
    tests = list(each(unittest.defaultTestLoader.loadTestsFromName("test." + module)))
    wanted = [test for test in tests if not any((test.id() + ".").startswith(name + ".") for name in names)]
    result = unittest.TextTestRunner(sys.stdout, verbosity=2).run(unittest.TestSuite(wanted))
    unsure = busy(result.skipped)
    for test, reason in unsure:
        print(f"{test.id()} was skipped for the machine's sake: {reason}")
    print(f"of {module}: {result.testsRun - len(result.skipped)} tests passed, {len(result.skipped)} skipped")
    return 0 if result.wasSuccessful() and not unsure else 1


if __name__ == "__main__":
    if len(sys.argv) == 2:
        sys.exit(os.waitstatus_to_exitcode(pty.spawn([sys.executable, *sys.argv, "here"])))
    sys.exit(main(sys.argv[1]))
