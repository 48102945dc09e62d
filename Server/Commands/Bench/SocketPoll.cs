using System.Collections.Concurrent;
using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Sketch.Server.Commands.Bench;

/// <summary>
/// Waits for thousands of sockets in one thread, by the kernel's epoll. .NET's own way asks each socket twice for a message and hands it from thread to thread, which took
/// half as much of the machine as the node that is measured.
/// </summary>
internal sealed partial class SocketPoll
{
    private const int Add = 1;
    private const int Delete = 2;
    private const uint Readable = 1;
    private const int EventsAtOnce = 256;
    private const int Interrupted = 4;

    private readonly ConcurrentDictionary<int, Action> _readers = new();
    private readonly int _poll = Checked(Create(0));

    private SocketPoll() => new Thread(Run) { IsBackground = true, Name = "dashboards" }.Start();

    /// <summary>One for all connections of the process.</summary>
    public static SocketPoll Shared { get; } = new();

    /// <summary>Calls back, in the one thread, whenever there is something to read, until the socket is removed.</summary>
    public void Watch(int socket, Action read)
    {
        _readers[socket] = read;
        Event interest = new(Readable, socket);
        Checked(Control(_poll, Add, socket, ref interest));
    }

    /// <summary>Forgets a socket; it may be one that is not watched.</summary>
    public void Remove(int socket)
    {
        if (!_readers.TryRemove(socket, out _))
            return;
        Event none = default;
        Control(_poll, Delete, socket, ref none);
    }

    private void Run()
    {
        Event[] events = new Event[EventsAtOnce];
        while (true)
        {
            int ready = Wait(_poll, events, events.Length, -1);
            if (ready < 0 && Marshal.GetLastPInvokeError() != Interrupted)
                throw new Win32Exception();
            foreach (Event happened in events.AsSpan(0, Math.Max(0, ready)))
            {
                if (_readers.TryGetValue((int)happened.Socket, out Action? read))
                    read();
            }
        }
    }

    private static int Checked(int answer) => answer >= 0 ? answer : throw new Win32Exception();

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int Create(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int Control(int poll, int operation, int socket, ref Event interest);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static partial int Wait(int poll, [In, Out] Event[] events, int most, int milliseconds);

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private readonly struct Event(uint what, long socket)
    {
        public readonly uint What = what;
        public readonly long Socket = socket;
    }
}
