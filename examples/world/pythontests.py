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
    "a second of the processor within a minute by the clock": (
        "test_signal.ItimerTest.test_itimer_virtual test_signal.ItimerTest.test_itimer_prof"
    ),
    "/etc/services": "test_socket.GeneralModuleTests.testGetServBy test_socket.GeneralModuleTests.testGetaddrinfo",
}


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
    print(f"of {module}: {result.testsRun - len(result.skipped)} tests passed, {len(result.skipped)} skipped")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    if len(sys.argv) == 2:
        sys.exit(os.waitstatus_to_exitcode(pty.spawn([sys.executable, *sys.argv, "here"])))
    sys.exit(main(sys.argv[1]))
