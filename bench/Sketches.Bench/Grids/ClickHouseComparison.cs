using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Sketch.Sketches;

namespace Sketch.Bench.Sketches.Grids;

/// <summary>
/// The same elements counted here, by the SQL text beside the C#, and by ClickHouse's own uniqHLL12 and uniqCombined64(12), in one
/// run. Needs libchdb.so, which `npm ci` in the repository's root installs.
/// </summary>
internal static unsafe partial class ClickHouseComparison
{
    private const int Trials = 400, Elements = 10_000;

    public static void Run(string folder)
    {
        string? library = Library();
        if (library is null)
        {
            Console.WriteLine("clickhouse: left out, libchdb.so is not in node_modules: run npm ci in the repository's root first");
            return;
        }

        nint handle = NativeLibrary.Load(library);
        NativeLibrary.SetDllImportResolver(typeof(ClickHouseComparison).Assembly, (name, _, _) => name == "chdb" ? handle : 0);
        // Its signal handlers would take the runtime's place.
        SetSignalHandlersEnabled(0);
        using ArgumentList arguments = new("clickhouse");
        nint* connection = Connect(1, arguments.Pointer);
        double[] hll12 = Numbers(*connection, Uniq("uniqHLL12(element)"));
        double[] combined = Numbers(*connection, Uniq("uniqCombined64(12)(element)"));
        double[] ours = new double[Trials], sql = new double[Trials];
        SketchKey key = new(1, 2);
        Query(*connection, HyperLogLogSql.CreateFunction);
        double disagreement = 0;
        for (int trial = 0; trial < Trials; trial++)
        {
            HyperLogLog state = new(key.KeyId, 12), half = new(key.KeyId, 12);
            for (int n = 0; n < Elements; n++)
            {
                ulong element = (ulong)trial * 1_000_000_007 + (ulong)n;
                ulong hash = ElementHash.Compute(key, MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in element)));
                state.Add(hash);
                if (n < Elements / 2)
                    half.Add(hash);
            }

            ours[trial] = state.Estimate();
            // The state and one that it contains: the map's merge must change nothing.
            sql[trial] = Numbers(*connection, $"SELECT sketchDistinct(maxMap(registers), 12) FROM ({Row(state)} UNION ALL {Row(half)})")[0];
            double expression = Numbers(*connection, $"SELECT {HyperLogLogSql.Estimate("maxMap(registers)", 12)} FROM ({Row(state)})")[0];
            disagreement = Math.Max(disagreement, Math.Max(Math.Abs(sql[trial] / ours[trial] - 1), Math.Abs(expression / sql[trial] - 1)));
        }

        Table table = new(folder, "clickhouse", "estimator", "elements", "trials", "bias_percent", "rmse_percent");
        Add(table, "HyperLogLog precision 12", ours);
        Add(table, "its SQL text in ClickHouse", sql);
        Add(table, "uniqHLL12", hll12);
        Add(table, "uniqCombined64(12)", combined);
        table.Save();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"clickhouse: C# and SQL differ by at most {disagreement:e1}"));
        Close(connection);
    }

    private static void Add(Table table, string name, double[] estimates) =>
        table.Add(
            name,
            Elements,
            Trials,
            100 * estimates.Average(e => e / Elements - 1),
            100 * Math.Sqrt(estimates.Average(e => (e / Elements - 1) * (e / Elements - 1))));

    private static string Uniq(string function) =>
        $"SELECT {function} FROM (SELECT intDiv(number, {Elements}) AS trial, trial * 1000000007 + number % {Elements} AS element " +
        $"FROM numbers({Trials * Elements})) GROUP BY trial ORDER BY trial";

    private static string Row(HyperLogLog state)
    {
        (uint[] indexes, byte[] ranks) = HyperLogLogSql.ToColumn(state);
        return $"SELECT CAST(([{string.Join(',', indexes)}], [{string.Join(',', ranks)}]), 'Tuple(Array(UInt32), Array(UInt8))') AS registers";
    }

    private static double[] Numbers(nint connection, string sql) =>
        [.. Query(connection, sql).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => double.Parse(l, CultureInfo.InvariantCulture))];

    private static string Query(nint connection, string sql)
    {
        byte[] text = Encoding.UTF8.GetBytes(sql);
        fixed (byte* query = text, format = "TabSeparated"u8)
        {
            nint result = QueryN(connection, query, (nuint)text.Length, format, 12);
            try
            {
                if (Marshal.PtrToStringUTF8((nint)ResultError(result)) is { Length: > 0 } error)
                    throw new InvalidOperationException(error);
                byte* buffer = ResultBuffer(result);
                return buffer is null ? "" : Encoding.UTF8.GetString(buffer, (int)ResultLength(result));
            }
            finally
            {
                DestroyResult(result);
            }
        }
    }

    private static string? Library()
    {
        for (DirectoryInfo? at = new(Environment.CurrentDirectory); at is not null; at = at.Parent)
        {
            string path = Path.Combine(at.FullName, "node_modules", "@chdb", "lib-linux-x64-gnu", "libchdb.so");
            if (File.Exists(path))
                return path;
        }

        return null;
    }

    private sealed class ArgumentList : IDisposable
    {
        private readonly nint _text;

        public ArgumentList(string argument)
        {
            _text = Marshal.StringToCoTaskMemUTF8(argument);
            Pointer = (byte**)NativeMemory.Alloc((nuint)sizeof(byte*));
            *Pointer = (byte*)_text;
        }

        public byte** Pointer { get; }

        public void Dispose()
        {
            NativeMemory.Free(Pointer);
            Marshal.FreeCoTaskMem(_text);
        }
    }

    [LibraryImport("chdb", EntryPoint = "chdb_set_signal_handlers_enabled")]
    private static partial void SetSignalHandlersEnabled(int enabled);

    [LibraryImport("chdb", EntryPoint = "chdb_connect")]
    private static partial nint* Connect(int argc, byte** argv);

    [LibraryImport("chdb", EntryPoint = "chdb_close_conn")]
    private static partial void Close(nint* connection);

    [LibraryImport("chdb", EntryPoint = "chdb_query_n")]
    private static partial nint QueryN(nint connection, byte* sql, nuint sqlLength, byte* format, nuint formatLength);

    [LibraryImport("chdb", EntryPoint = "chdb_result_buffer")]
    private static partial byte* ResultBuffer(nint result);

    [LibraryImport("chdb", EntryPoint = "chdb_result_length")]
    private static partial nuint ResultLength(nint result);

    [LibraryImport("chdb", EntryPoint = "chdb_result_error")]
    private static partial byte* ResultError(nint result);

    [LibraryImport("chdb", EntryPoint = "chdb_destroy_query_result")]
    private static partial void DestroyResult(nint result);
}
