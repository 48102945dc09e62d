using System.Runtime.InteropServices;
using System.Text;

namespace Sketch.Storage.Embedded;

/// <summary>What a statement does, in the words of chdb_classify_query_n.</summary>
internal enum StatementClass : uint
{
    Read = 0,
    Write = 1,
    GlobalWrite = 2,
    Control = 3,
    Unknown = 4,
}

/// <summary>
/// One connection to the engine in this process: its own settings and temporary tables, one statement at a time, every call blocking.
/// All connections of a process use the same path, and one must stay open for as long as the engine is wanted.
/// </summary>
internal sealed unsafe class ChdbConnection : IDisposable
{
    private nint* _connection;

    private ChdbConnection(nint* connection) => _connection = connection;

    /// <summary>Connects; the first connection starts the engine with the given arguments.</summary>
    /// <exception cref="ChdbException">The engine does not open the path.</exception>
    public static ChdbConnection Open(IReadOnlyList<string> arguments)
    {
        byte** argv = stackalloc byte*[arguments.Count + 1];
        argv[0] = (byte*)Marshal.StringToCoTaskMemUTF8("clickhouse");
        for (int i = 0; i < arguments.Count; i++)
        {
            argv[i + 1] = (byte*)Marshal.StringToCoTaskMemUTF8(arguments[i]);
        }

        try
        {
            nint* connection = LibChdb.Connect(arguments.Count + 1, argv);
            return connection is not null && *connection != 0
                ? new ChdbConnection(connection)
                : throw new ChdbException($"libchdb does not open {string.Join(' ', arguments)}");
        }
        finally
        {
            for (int i = 0; i <= arguments.Count; i++)
            {
                Marshal.FreeCoTaskMem((nint)argv[i]);
            }
        }
    }

    private nint Handle => _connection is null ? throw new ObjectDisposedException(nameof(ChdbConnection)) : *_connection;

    /// <summary>Runs a statement to its end.</summary>
    public ChdbResult Query(string sql, string format = "TabSeparated", IReadOnlyList<KeyValuePair<string, string>>? parameters = null)
    {
        using NativeStrings strings = new(sql, format, parameters);
        return new ChdbResult(LibChdb.Query(
            Handle, strings.Sql, strings.SqlLength, strings.Format, strings.FormatLength,
            strings.Names, strings.NameLengths, strings.Values, strings.ValueLengths, strings.Count));
    }

    /// <summary>Starts a SELECT (or another statement that only reads) whose result is fetched in chunks.</summary>
    public ChdbResult StreamQuery(string sql, string format, IReadOnlyList<KeyValuePair<string, string>> parameters)
    {
        using NativeStrings strings = new(sql, format, parameters);
        return new ChdbResult(LibChdb.StreamQuery(
            Handle, strings.Sql, strings.SqlLength, strings.Format, strings.FormatLength,
            strings.Names, strings.NameLengths, strings.Values, strings.ValueLengths, strings.Count));
    }

    /// <summary>The next chunk; empty at the end.</summary>
    public ChdbResult Fetch(ChdbResult stream) => new(LibChdb.StreamFetch(Handle, stream.Handle));

    /// <summary>Ends a stream that has chunks left.</summary>
    public void Cancel(ChdbResult stream) => LibChdb.StreamCancel(Handle, stream.Handle);

    /// <summary>Starts an INSERT (without its FORMAT) whose data follows in that format.</summary>
    public ChdbInsert Insert(string sql, string format)
    {
        using NativeStrings strings = new(sql, format, null);
        return new ChdbInsert(LibChdb.StreamInsert(Handle, strings.Sql, strings.SqlLength, strings.Format, strings.FormatLength));
    }

    /// <summary>How many statements a text holds, and the strictest class among them. Runs nothing.</summary>
    public (uint Statements, StatementClass Class) Classify(string sql)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(sql);
        LibChdb.Analysis analysis = new() { Size = (uint)sizeof(LibChdb.Analysis), Class = (uint)StatementClass.Unknown };
        fixed (byte* text = bytes)
        {
            int failed = LibChdb.Classify(Handle, text, (nuint)bytes.Length, null, 0, &analysis);
            return failed == 0 ? (analysis.Statements, (StatementClass)analysis.Class) : (0, StatementClass.Unknown);
        }
    }

    public void Dispose()
    {
        nint* connection = _connection;
        _connection = null;
        if (connection is not null)
        {
            LibChdb.Close(connection);
        }
    }

    /// <summary>The arguments of one call, as the engine wants them.</summary>
    private readonly ref struct NativeStrings : IDisposable
    {
        private readonly nint _block;

        public NativeStrings(string sql, string format, IReadOnlyList<KeyValuePair<string, string>>? parameters)
        {
            int count = parameters?.Count ?? 0;
            int text = Encoding.UTF8.GetByteCount(sql) + Encoding.UTF8.GetByteCount(format);
            for (int i = 0; i < count; i++)
            {
                text += Encoding.UTF8.GetByteCount(parameters![i].Key) + Encoding.UTF8.GetByteCount(parameters[i].Value);
            }

            _block = (nint)NativeMemory.Alloc((nuint)((count * 4 * sizeof(nint)) + text + 1));
            Names = (byte**)_block;
            Values = Names + count;
            NameLengths = (nuint*)(Values + count);
            ValueLengths = NameLengths + count;
            Span<byte> room = new(ValueLengths + count, text);
            Sql = Put(sql, ref room, out nuint length);
            SqlLength = length;
            Format = Put(format, ref room, out length);
            FormatLength = length;
            Count = (nuint)count;
            for (int i = 0; i < count; i++)
            {
                Names[i] = Put(parameters![i].Key, ref room, out NameLengths[i]);
                Values[i] = Put(parameters[i].Value, ref room, out ValueLengths[i]);
            }
        }

        public byte* Sql { get; }

        public nuint SqlLength { get; }

        public byte* Format { get; }

        public nuint FormatLength { get; }

        public byte** Names { get; }

        public nuint* NameLengths { get; }

        public byte** Values { get; }

        public nuint* ValueLengths { get; }

        public nuint Count { get; }

        public void Dispose() => NativeMemory.Free((void*)_block);

        private static byte* Put(string text, ref Span<byte> room, out nuint length)
        {
            byte* at = (byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetReference(room));
            int written = Encoding.UTF8.GetBytes(text, room);
            room = room[written..];
            length = (nuint)written;
            return at;
        }
    }
}
