using System.Reflection;
using System.Runtime.InteropServices;

namespace Sketch.Storage.Embedded;

/// <summary>
/// The C interface of libchdb 26.7.3, as far as it is used here. Every call may block; strings are UTF-8 with their length, never terminated.
/// </summary>
internal static unsafe partial class LibChdb
{
    private const string Library = "chdb";
    private static nint _handle;

    /// <summary>
    /// Loads the library, and takes its signal handlers away before anything else: with them on, the first NullReferenceException
    /// of the .NET runtime hangs the process.
    /// </summary>
    /// <exception cref="DllNotFoundException">The file is not there, or is not loadable.</exception>
    public static void Load(string path)
    {
        if (_handle != 0)
        {
            return;
        }

        _handle = NativeLibrary.Load(path);
        NativeLibrary.SetDllImportResolver(
            Assembly.GetExecutingAssembly(), (name, _, _) => name == Library ? _handle : 0);
        SetSignalHandlersEnabled(0);
    }

    /// <summary>What the classifier reports of a text; <see cref="Size"/> is set by the caller.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Analysis
    {
        public uint Size;
        public uint Statements;
        public uint Flags;
        public uint Class;
    }

    [LibraryImport(Library, EntryPoint = "chdb_set_signal_handlers_enabled")]
    private static partial void SetSignalHandlersEnabled(int enabled);

    [LibraryImport(Library, EntryPoint = "chdb_connect")]
    public static partial nint* Connect(int argc, byte** argv);

    [LibraryImport(Library, EntryPoint = "chdb_close_conn")]
    public static partial void Close(nint* connection);

    [LibraryImport(Library, EntryPoint = "chdb_shutdown")]
    public static partial int Shutdown();

    [LibraryImport(Library, EntryPoint = "chdb_query_with_params_n")]
    public static partial nint Query(
        nint connection, byte* sql, nuint sqlLength, byte* format, nuint formatLength,
        byte** names, nuint* nameLengths, byte** values, nuint* valueLengths, nuint count);

    [LibraryImport(Library, EntryPoint = "chdb_stream_query_with_params_n")]
    public static partial nint StreamQuery(
        nint connection, byte* sql, nuint sqlLength, byte* format, nuint formatLength,
        byte** names, nuint* nameLengths, byte** values, nuint* valueLengths, nuint count);

    [LibraryImport(Library, EntryPoint = "chdb_stream_fetch_result")]
    public static partial nint StreamFetch(nint connection, nint result);

    [LibraryImport(Library, EntryPoint = "chdb_stream_cancel_query")]
    public static partial void StreamCancel(nint connection, nint result);

    [LibraryImport(Library, EntryPoint = "chdb_stream_insert_n")]
    public static partial nint StreamInsert(nint connection, byte* sql, nuint sqlLength, byte* format, nuint formatLength);

    [LibraryImport(Library, EntryPoint = "chdb_stream_append")]
    public static partial int StreamAppend(nint stream, byte* data, nuint length);

    [LibraryImport(Library, EntryPoint = "chdb_stream_done")]
    public static partial nint StreamDone(nint stream);

    [LibraryImport(Library, EntryPoint = "chdb_stream_cancel_insert")]
    public static partial void StreamCancelInsert(nint stream);

    [LibraryImport(Library, EntryPoint = "chdb_stream_insert_error")]
    public static partial byte* StreamInsertError(nint stream);

    [LibraryImport(Library, EntryPoint = "chdb_destroy_insert_stream")]
    public static partial void DestroyInsertStream(nint stream);

    [LibraryImport(Library, EntryPoint = "chdb_classify_query_n")]
    public static partial int Classify(
        nint connection, byte* sql, nuint sqlLength, byte* database, nuint databaseLength, Analysis* analysis);

    [LibraryImport(Library, EntryPoint = "chdb_result_buffer")]
    public static partial byte* ResultBuffer(nint result);

    [LibraryImport(Library, EntryPoint = "chdb_result_length")]
    public static partial nuint ResultLength(nint result);

    [LibraryImport(Library, EntryPoint = "chdb_result_error")]
    public static partial byte* ResultError(nint result);

    [LibraryImport(Library, EntryPoint = "chdb_result_rows_read")]
    public static partial ulong ResultRows(nint result);

    [LibraryImport(Library, EntryPoint = "chdb_result_storage_rows_read")]
    public static partial ulong RowsRead(nint result);

    [LibraryImport(Library, EntryPoint = "chdb_result_storage_bytes_read")]
    public static partial ulong BytesRead(nint result);

    [LibraryImport(Library, EntryPoint = "chdb_result_rows_written")]
    public static partial ulong RowsWritten(nint result);

    [LibraryImport(Library, EntryPoint = "chdb_result_bytes_written")]
    public static partial ulong BytesWritten(nint result);

    [LibraryImport(Library, EntryPoint = "chdb_destroy_query_result")]
    public static partial void DestroyResult(nint result);
}
