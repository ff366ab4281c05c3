import com.sun.management.OperatingSystemMXBean;
import edu.cmu.tetrad.data.BoxDataSet;
import edu.cmu.tetrad.data.ContinuousVariable;
import edu.cmu.tetrad.data.DiscreteVariable;
import edu.cmu.tetrad.data.MixedDataBox;
import edu.cmu.tetrad.graph.Edge;
import edu.cmu.tetrad.graph.Endpoint;
import edu.cmu.tetrad.graph.Graph;
import edu.cmu.tetrad.graph.Node;
import edu.cmu.tetrad.search.Boss;
import edu.cmu.tetrad.search.PermutationSearch;
import edu.cmu.tetrad.search.score.DegenerateGaussianScore;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Tetrad's BOSS with the degenerate-Gaussian score: Search TABLE.csv RUNS.
 *
 * <p>The first line of the table has the number of levels of each column, 0 for numbers; the others
 * are rows. Prints a line of seconds of the processor for each run, all threads of the process
 * included, then a line for each edge: its two columns and whether it is directed.
 */
public class Search {
  public static void main(String[] arguments) throws Exception {
    List<String> lines = Files.readAllLines(Path.of(arguments[0]));
    String[] levels = lines.get(0).split(",");
    int rows = lines.size() - 1;
    List<Node> variables = new ArrayList<>();
    double[][] numbers = new double[levels.length][];
    int[][] codes = new int[levels.length][];
    for (int column = 0; column < levels.length; column++) {
      int count = Integer.parseInt(levels[column]);
      if (count > 0) {
        variables.add(new DiscreteVariable(String.valueOf(column), count));
        codes[column] = new int[rows];
      } else {
        variables.add(new ContinuousVariable(String.valueOf(column)));
        numbers[column] = new double[rows];
      }
    }
    for (int row = 0; row < rows; row++) {
      String[] cells = lines.get(row + 1).split(",");
      for (int column = 0; column < levels.length; column++) {
        double value = Double.parseDouble(cells[column]);
        if (codes[column] == null) {
          numbers[column][row] = value;
        } else {
          codes[column][row] = (int) value;
        }
      }
    }
    OperatingSystemMXBean clock =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    Graph graph = null;
    for (int run = 0; run < Integer.parseInt(arguments[1]); run++) {
      long started = clock.getProcessCpuTime();
      BoxDataSet table = new BoxDataSet(new MixedDataBox(variables, rows, numbers, codes), variables);
      DegenerateGaussianScore score = new DegenerateGaussianScore(table, true);
      score.setPenaltyDiscount(1); // else it is 0
      Boss boss = new Boss(score);
      boss.setUseBes(true);
      boss.setNumThreads(1);
      graph = new PermutationSearch(boss).search();
      System.out.println((clock.getProcessCpuTime() - started) / 1e9);
    }
    for (Edge edge : graph.getEdges()) {
      boolean directed = edge.getEndpoint1() != edge.getEndpoint2();
      boolean turned = directed && edge.getEndpoint1() == Endpoint.ARROW;
      Node cause = turned ? edge.getNode2() : edge.getNode1();
      Node effect = turned ? edge.getNode1() : edge.getNode2();
      System.out.println(cause.getName() + " " + effect.getName() + " " + directed);
    }
  }
}
